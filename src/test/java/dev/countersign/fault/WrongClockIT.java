package dev.countersign.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Reply;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceProcess;
import dev.countersign.support.SignedRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Two replicas on one database, one's clock 20 minutes ahead and the other's 20 minutes behind. */
class WrongClockIT {

    private static final Logger LOG = Logger.getLogger(WrongClockIT.class);

    private static final Duration OFF = Duration.ofMinutes(20);
    private static final int TOKENS = Extent.times(50, 1000);
    private static final Duration SHORT_TTL = Duration.ofSeconds(4);

    private static PostgresServer database;
    private static ServiceProcess ahead;
    private static ServiceProcess behind;

    @BeforeAll
    static void start() {
        Path library = Stream.of("x86_64-linux-gnu", "aarch64-linux-gnu")
                .map(architecture -> Path.of("/usr/lib", architecture, "faketime", "libfaketimeMT.so.1"))
                .filter(Files::exists)
                .findFirst()
                .orElseGet(() -> Assumptions.abort("libfaketime is not installed; .ci/run shows what to install"));
        database = PostgresServer.start();
        ahead = startWithClock(library, "+20m");
        behind = startWithClock(library, "-20m");
        database.execute("INSERT INTO app (app_id, ttl_seconds) VALUES ('demo', 300), ('shortlived', "
                + SHORT_TTL.toSeconds() + ")");
    }

    /**
     * Only what a clock on the wall would show: a JVM's waits go by the other one, and return at once where libfaketime
     * "fixes" them.
     */
    private static ServiceProcess startWithClock(Path library, String offset) {
        return ServiceProcess.startBy(
                List.of(
                        "env",
                        "LD_PRELOAD=" + library,
                        "FAKETIME=" + offset,
                        "FAKETIME_DONT_FAKE_MONOTONIC=1",
                        "FAKETIME_FORCE_MONOTONIC_FIX=0"),
                database,
                Map.of("countersign.purge.every", "1s"));
    }

    @AfterAll
    static void stop() {
        if (database != null) {
            behind.close();
            ahead.close();
            database.close();
        }
    }

    @Test
    void lifeOfATokenGoesByTheDatabasesClock() {
        int errors = 0;
        try (ServiceClient early = client(ahead, OFF);
                ServiceClient late = client(behind, OFF.negated())) {
            // The purge has run, and saw nothing expired but what is.
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> database.ask("SELECT count(*) FROM challenge_session_partition") >= 18);
            List<Token> tokens = new ArrayList<>();
            List<Token> shortlived = new ArrayList<>();
            for (int i = 0; i < TOKENS; i++) {
                Reply created = (i % 2 == 0 ? early : late).create("demo");
                tokens.add(Token.of(created));
                long life =
                        Long.parseLong(created.member("ttl")) - Instant.now().getEpochSecond();
                errors += life < 298 || life > 300 ? 1 : 0;
            }
            shortlived.add(Token.of(early.create("shortlived")));
            shortlived.add(Token.of(late.create("shortlived")));
            long end = System.nanoTime();
            for (Token token : shortlived) {
                errors += errors(200, early, late, token);
            }
            await().pollInterval(Duration.ofMillis(100)).until(() -> System.nanoTime() - end > SHORT_TTL.toNanos());
            for (Token token : shortlived) {
                errors += errors(404, early, late, token);
                errors += early.redeem("shortlived", token.session(), token.code())
                                .isSuccess()
                        ? 1
                        : 0;
            }
            for (int i = 0; i < TOKENS; i++) {
                Token token = tokens.get(i);
                errors += errors(200, early, late, token);
                // By the other one.
                Reply redeemed = (i % 2 == 0 ? late : early).redeem("demo", token.session(), token.code());
                errors += redeemed.isSuccess() ? 0 : 1;
            }
            LOG.infof(
                    "clocks %d min ahead and behind: tokens %d, expiry errors %d",
                    OFF.toMinutes(), TOKENS + shortlived.size(), errors);
        }
        assertThat(errors).isZero();
    }

    /** The bucket that both share is refilled by the database's clock too. */
    @Test
    void limitGoesByTheDatabasesClock() throws Exception {
        database.execute("INSERT INTO app (app_id, create_token_per_minute) VALUES ('paced', 60)");
        try (ServiceClient early = client(ahead, OFF);
                ServiceClient late = client(behind, OFF.negated())) {
            for (ServiceClient first : List.of(late, early, late)) {
                ServiceClient second = first == early ? late : early;
                await().atMost(Duration.ofSeconds(30))
                        .pollInterval(Duration.ofMillis(1))
                        .until(() -> first.create("paced").status() == 429);
                // One more is due in a second, for whoever asks.
                Thread.sleep(Duration.ofMillis(1500));
                assertThat(second.create("paced").status()).isEqualTo(200);
            }
        }
    }

    private static int errors(int expected, ServiceClient one, ServiceClient other, Token token) {
        return (one.read(token.app(), token.session()).status() == expected ? 0 : 1)
                + (other.read(token.app(), token.session()).status() == expected ? 0 : 1);
    }

    /** An AWS client reads the time from the reply's Date, and signs anew. */
    @Test
    void signatureOfTheRightTimeIsRefusedForItsSkew() {
        for (ServiceProcess replica : List.of(ahead, behind)) {
            try (ServiceClient client = client(replica, Duration.ZERO)) {
                Reply reply = client.create("demo");
                LOG.infof("a signature of the right time gets %s", reply);
                assertThat(reply.status()).isEqualTo(403);
                assertThat(reply.member("message"))
                        .matches("Signature expired: X-Amz-Date is (119\\d|120\\d) seconds from this server's time, 300"
                                + " are allowed");
            }
        }
    }

    /** Signs at a time so far from the right one. */
    private static ServiceClient client(ServiceProcess replica, Duration offset) {
        String authority = replica.baseUri().getAuthority();
        return new ServiceClient(
                replica.baseUri(),
                (method, path, body) ->
                        SignedRequest.to(authority, method, path, body, offset).headers());
    }
}
