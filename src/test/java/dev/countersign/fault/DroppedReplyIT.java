package dev.countersign.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Reply;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceProcess;
import dev.countersign.support.SignedRequest;
import dev.countersign.support.TcpProxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.Test;

/** The database commits a redeem, and its reply gets lost: the caller knows nothing, and finds out by asking again. */
class DroppedReplyIT {

    private static final Logger LOG = Logger.getLogger(DroppedReplyIT.class);

    private static final int REDEEMS = Extent.times(5, 50);
    private static final String OTHER_KEY_ID = "AKIACOUNTERSIGNTEST2";
    private static final String OTHER_SECRET = "another-test-only-secret-of-forty-chars!";

    /** A deferred trigger runs in the commit, and this one waits for whoever holds the lock. */
    private static final String HOLD_UP_COMMITS = """
            CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM pg_advisory_xact_lock_shared(42);
                RETURN NULL;
            END
            $$;
            CREATE CONSTRAINT TRIGGER wait_for_test AFTER UPDATE ON challenge_session
                DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW WHEN (NEW.state = 'redeemed') EXECUTE FUNCTION wait_for_test();
            """;

    private int dropped;
    private int sameSuccesses;
    private int successesOfOthers;
    private long longestMillis;

    @Test
    void callerWhoseReplyWasLostGetsTheSameSuccessAndNobodyElseDoes() throws Exception {
        try (PostgresServer database = PostgresServer.start();
                TcpProxy network = TcpProxy.to(database.port());
                ServiceProcess service = ServiceProcess.start(database, settings(network));
                Liveness liveness = Liveness.watch(service);
                ServiceClient client = new ServiceClient(service.baseUri());
                ServiceClient other = new ServiceClient(service.baseUri(), otherPrincipal(service))) {
            database.execute("INSERT INTO app (app_id) VALUES ('demo')");
            database.execute(HOLD_UP_COMMITS);
            for (int i = 0; i < REDEEMS; i++) {
                Token token = Token.of(client.create("demo"));
                dropReplyToRedeem(database, network, client, token);
                // Before the caller does: had nothing been committed, one of these would win.
                successesOfOthers += succeeds(other, token, "key") + succeeds(client, token, "other-key");
                sameSuccesses += isWhatWasCommitted(database, token, answer(client, token, "key")) ? 1 : 0;
                successesOfOthers += succeeds(other, token, "key") + succeeds(client, token, "other-key");
            }
            LOG.infof(
                    "replies to a redeem's commit dropped %d, same success returned %d, successes for another principal"
                            + " or key %d; longest reply %d ms, liveness failures %d of %d",
                    dropped, sameSuccesses, successesOfOthers, longestMillis, liveness.failures(), liveness.probes());
            assertThat(longestMillis).isLessThanOrEqualTo(Endurance.BUDGET_MILLIS + liveness.longestMillis());
            assertThat(liveness.failures()).isZero();
        }
        assertThat(dropped).isEqualTo(REDEEMS);
        assertThat(sameSuccesses).isEqualTo(REDEEMS);
        assertThat(successesOfOthers).isZero();
    }

    /** Holds the redeem up in its commit, so that it is the reply to that which is dropped, and no other. */
    private void dropReplyToRedeem(PostgresServer database, TcpProxy network, ServiceClient client, Token token)
            throws Exception {
        try (ExecutorService background = Executors.newSingleThreadExecutor();
                Connection holdUp = database.connect();
                Statement statement = holdUp.createStatement()) {
            holdUp.setAutoCommit(false);
            statement.execute("SELECT pg_advisory_xact_lock(42)");
            Future<Reply> redeem = background.submit(() -> redeem(client, token, "key"));
            while (!database.hasWaiters()) {
                // Perhaps it never got there: a connection may have died when another reply was dropped.
                redeem = redeem.isDone() ? background.submit(() -> redeem(client, token, "key")) : redeem;
            }
            network.dropReplies();
            holdUp.commit();
            dropped += redeem.get().status() == 504 ? 1 : 0;
        } finally {
            network.heal();
        }
    }

    private static boolean isWhatWasCommitted(PostgresServer database, Token token, Reply reply) throws SQLException {
        long redeemedAt = database.ask("SELECT (extract(epoch FROM settled_at) * 1000000)::bigint"
                + " FROM challenge_session WHERE session_id = '" + token.session() + "'");
        return reply.isSuccess()
                && OffsetDateTime.parse(reply.member("redeemedAt"))
                        .toInstant()
                        .equals(Instant.EPOCH.plus(redeemedAt, ChronoUnit.MICROS));
    }

    private int succeeds(ServiceClient client, Token token, String key) {
        return answer(client, token, key).isSuccess() ? 1 : 0;
    }

    /** A connection of the pool that was reset meanwhile may cost a 504. */
    private Reply answer(ServiceClient client, Token token, String key) {
        return await().pollDelay(Duration.ZERO)
                .until(() -> redeem(client, token, key), reply -> reply.status() == 200 || reply.status() == 404);
    }

    private Reply redeem(ServiceClient client, Token token, String key) {
        long begin = System.nanoTime();
        Reply reply = client.redeem("demo", token.session(), token.code(), key);
        longestMillis = Math.max(
                longestMillis, Duration.ofNanos(System.nanoTime() - begin).toMillis());
        return reply;
    }

    private static Map<String, String> settings(TcpProxy network) {
        Map<String, String> settings = new HashMap<>(ServiceProcess.DEFAULT_TIMEOUTS);
        settings.put("quarkus.datasource.jdbc.url", PostgresServer.jdbcUrl(network.port()));
        settings.put("countersign.principals.other.access-key-id", OTHER_KEY_ID);
        settings.put("countersign.principals.other.secret-access-key", OTHER_SECRET);
        settings.put("countersign.principals.other.apps", "*");
        settings.put("countersign.principals.other.permissions", "redeem");
        return settings;
    }

    private static ServiceClient.Credentials otherPrincipal(ServiceProcess service) {
        String authority = service.baseUri().getAuthority();
        return (method, path, body) -> SignedRequest.to(
                        authority, method, path, body, OTHER_KEY_ID, OTHER_SECRET, Duration.ZERO)
                .headers();
    }
}
