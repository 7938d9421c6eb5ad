package dev.countersign.challenge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.challenge.RedeemHistory.Outcome;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceTest;
import dev.countersign.support.TestDatabase;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import jakarta.inject.Inject;
import java.net.URI;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.random.RandomGenerator;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Redeems at the moment in which their tokens expire, while the purge runs again and again: it drops partitions that
 * have just expired, and deletes from the default one.
 */
@QuarkusTest
@TestProfile(PurgeTest.Unscheduled.class)
class PurgeBesideRedeemTest extends ServiceTest {

    private static final Logger LOG = Logger.getLogger(PurgeBesideRedeemTest.class);

    private static final int CLIENTS = 16;
    private static final int SECONDS = 10;

    private final RedeemHistory history = new RedeemHistory(5);

    @Inject
    ExpiredSessionPurge purge;

    @BeforeEach
    @AfterEach
    void noPartitions() {
        for (String partition : TestDatabase.query("SELECT name FROM challenge_session_partition")) {
            TestDatabase.execute("DROP TABLE " + partition);
        }
        TestDatabase.execute("DELETE FROM challenge_session");
    }

    @Test
    void eachCodeWorksAtMostOnceAndNeverAfterItsExpiryThoughThePurgeRunsBeside() throws Exception {
        TestDatabase.register("shortlived", 1);
        attachLaterPartitions();
        warmUp();
        long now = Instant.now().getEpochSecond();
        for (long second = now + 2; second < now + SECONDS; second += 2) {
            attachPartitionOfOneSecond(second);
        }
        int redeemed = 0;
        int dropped = 0;
        int deleted = 0;
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Integer>> running = new ArrayList<>();
            for (int client = 0; client < CLIENTS; client++) {
                running.add(clients.submit(() -> redeemAtTheEdge(now + SECONDS)));
            }
            while (!running.stream().allMatch(Future::isDone)) {
                ExpiredSessionPurge.Result result = purge.purge();
                dropped += result.partitionsDropped();
                deleted += result.rowsDeleted();
                // Else it would be the table's only user.
                Thread.sleep(20);
            }
            for (Future<Integer> client : running) {
                redeemed += client.get();
            }
        }
        LOG.infof(
                "operations: %s; partitions dropped meanwhile %d, rows deleted %d, double redeems %d",
                history.summary(), dropped, deleted, history.doubleRedeems());
        assertThat(history.violations()).isEmpty();
        assertThat(history.doubleRedeems()).isZero();
        assertThat(history.unknown()).isZero();
        assertThat(redeemed).isPositive();
        assertThat(history.expiredUnused()).isPositive();
        assertThat(dropped).isPositive();
        assertThat(deleted).isPositive();
    }

    /** Each client makes some tokens and then tries each twice at about its expiry. How many it redeemed. */
    private int redeemAtTheEdge(long untilSecond) throws InterruptedException {
        try (RecordingClient client = client(history)) {
            RandomGenerator random = ThreadLocalRandom.current();
            int redeemed = 0;
            while (Instant.now().getEpochSecond() < untilSecond) {
                List<Token> tokens = new ArrayList<>();
                for (int i = 0; i < 4; i++) {
                    client.create("shortlived").ifPresent(tokens::add);
                    Thread.sleep(random.nextInt(80));
                }
                for (Token token : tokens) {
                    // Half of them close to the edge, half early enough on a slow machine too.
                    long early = random.nextBoolean() ? 40_000_000 : 400_000_000;
                    long moment =
                            RedeemHistory.expiry(UUID.fromString(token.session())) + random.nextLong(-early, 5_000_000);
                    Thread.sleep(Math.max(0, (moment - RedeemHistory.now()) / 1_000_000));
                    for (int attempt = 0; attempt < 2; attempt++) {
                        redeemed += client.redeem(token) == Outcome.DONE ? 1 : 0;
                    }
                }
            }
            return redeemed;
        }
    }

    /** As the purge would, were it not for those of one second. */
    private static void attachLaterPartitions() {
        // Three steps for those that no create reaches yet.
        for (int step = 1; step <= 3; step++) {
            for (String slot : TestDatabase.query("""
                    SELECT slot FROM missing_session_slots() AS slot WHERE slot > now() + interval '1 minute'
                    """)) {
                TestDatabase.query("SELECT attach_session_partition('" + slot + "')");
            }
        }
    }

    /** Else the first tokens would expire while the service still loads its classes. */
    private static void warmUp() {
        try (RecordingClient client = client(new RedeemHistory(5))) {
            for (int i = 0; i < 50; i++) {
                client.redeem(client.create("demo").orElseThrow());
            }
        }
    }

    private static RecordingClient client(RedeemHistory history) {
        return new RecordingClient(URI.create("http://localhost:" + RestAssured.port), history);
    }

    /** Its name says when it has expired, which is what the purge goes by. */
    private static void attachPartitionOfOneSecond(long end) {
        TestDatabase.execute("""
                CREATE TABLE challenge_session_p%d PARTITION OF challenge_session FOR VALUES
                  FROM ('%s') TO ('%s')
                """.formatted(end - 300, floor(end - 1), floor(end)));
    }

    private static String floor(long second) {
        return TestDatabase.query("SELECT session_id_floor(to_timestamp(" + second + "))")
                .getFirst();
    }
}
