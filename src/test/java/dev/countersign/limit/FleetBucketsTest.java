package dev.countersign.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.countersign.support.ServiceTest;
import dev.countersign.support.TestDatabase;
import io.agroal.api.AgroalDataSource;
import io.quarkus.test.junit.QuarkusTest;
import io.smallrye.config.SmallRyeConfigBuilder;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Buckets that replicas share by a database, whatever each of them is and believes. */
@QuarkusTest
class FleetBucketsTest extends ServiceTest {

    @Inject
    AgroalDataSource requests;

    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private BucketTable table;

    @BeforeEach
    void openTable() {
        TestDatabase.execute("DELETE FROM limit_bucket");
        table = new BucketTable(requests);
    }

    @AfterEach
    void close() {
        threads.close();
        table.close();
    }

    @ParameterizedTest
    @CsvSource({
        "PT3S,1,1",
        "PT3S,10,10",
        "PT3S,60,10",
        "PT3S,600,30",
        "PT1S,600,10",
        "PT1M,60,60",
        "PT3S,60000000,3000000"
    })
    void burstIsWhatTheSettingIsWorthOrTen(Duration burst, int perMinute, int capacity) {
        assertThat(new Rates(burst).capacity(perMinute)).isEqualTo(capacity);
    }

    @Test
    void idleBucketAdmitsItsBurstAndNoMore() {
        FleetBuckets replica = replica();
        assertThat(admitted(replica, "low", 10, 12)).isEqualTo(10);
        assertThat(admitted(replica, "high", 600, 60)).isBetween(30, 32);
    }

    @Test
    void waitIsTheTimeUntilTheNextTokenIsDue() {
        FleetBuckets replica = replica();
        admitted(replica, "slow", 10, 10);
        assertThat(replica.take("slow", 10).join()).isCloseTo(Duration.ofSeconds(6), Duration.ofMillis(500));
        assertThat(replica().take("slow", 10).join()).isCloseTo(Duration.ofSeconds(6), Duration.ofMillis(500));
    }

    @Test
    void whoWaitsAsLongAsItIsToldIsAdmitted() throws InterruptedException {
        FleetBuckets replica = replica();
        admitted(replica, "patient", 120, 20);
        for (int i = 0; i < 5; i++) {
            Duration wait = replica.take("patient", 120).join();
            assertThat(wait).isPositive();
            Thread.sleep(wait);
            assertThat(replica.take("patient", 120).join()).isZero();
        }
    }

    @Test
    void replicasShareTheBurst() {
        assertThat(admitted(replica(), "shared", 10, 7)).isEqualTo(7);
        assertThat(admitted(replica(), "shared", 10, 7)).isEqualTo(3);
    }

    @Test
    void changedRateGivesNoFreshBurst() {
        FleetBuckets replica = replica();
        admitted(replica, "changing", 10, 10);
        for (int rate = 11; rate < 30; rate++) {
            assertThat(replica.take("changing", rate).join())
                    .as("a rate of %d", rate)
                    .isPositive();
        }
        // A replica that knows nothing of it yet, and one that gave out from what it had taken for a higher rate.
        assertThat(replica().take("changing", 12).join()).isPositive();
        assertThat(admitted(replica, "lowered", 60_000, 5)).isEqualTo(5);
        assertThat(admitted(replica, "lowered", 60, 30)).isLessThanOrEqualTo(12);
    }

    @Test
    void raisedRateTakesHoldAtOnce() throws InterruptedException {
        FleetBuckets replica = replica();
        admitted(replica, "raised", 10, 10);
        assertThat(replica.take("raised", 10).join()).isGreaterThan(Duration.ofSeconds(5));
        Thread.sleep(Duration.ofMillis(20));
        assertThat(replica.take("raised", 6000).join()).isZero();
    }

    /** As after a failover to a server whose clock is behind. */
    @Test
    void bucketOfTheFutureIsRefilledFromNowOn() throws InterruptedException {
        TestDatabase.execute("INSERT INTO limit_bucket VALUES ('early', 5, 0, now() + interval '20 minutes')");
        FleetBuckets replica = replica();
        assertThat(admitted(replica, "early", 60, 5)).isEqualTo(5);
        Duration wait = replica.take("early", 60).join();
        assertThat(wait).isCloseTo(Duration.ofSeconds(1), Duration.ofMillis(300));
        Thread.sleep(wait);
        assertThat(replica.take("early", 60).join()).isZero();
    }

    @Test
    void busyReplicaAsksForMoreThanOneAtATime() {
        FleetBuckets replica = replica();
        int calls = 2000;
        assertThat(admitted(replica, "busy", 60_000, calls)).isEqualTo(calls);
        assertThat(TestDatabase.query("SELECT granted FROM limit_bucket WHERE id = 'busy'"))
                .containsExactly("100");
    }

    @Test
    void refusalsCostTheTableNothing() {
        FleetBuckets replica = replica();
        admitted(replica, "flooded", 10, 11);
        String before = xmin("flooded");
        assertThat(admitted(replica, "flooded", 10, 1000)).isZero();
        assertThat(xmin("flooded")).isEqualTo(before);
    }

    @Test
    void lockedBucketFailsItsCallersSoonAndNobodyElses() throws Exception {
        FleetBuckets replica = replica();
        for (String name : List.of("locked", "locked too", "free")) {
            assertThat(replica.take(name, 600).join()).isZero();
        }
        try (Connection other = TestDatabase.connect();
                Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute("SELECT FROM limit_bucket WHERE id LIKE 'locked%' FOR UPDATE");
            List<CompletableFuture<Duration>> locked = Stream.generate(() -> List.of("locked", "locked too"))
                    .limit(20)
                    .flatMap(List::stream)
                    .map(name -> replica.take(name, 600))
                    .toList();
            assertThat(replica.take("free", 600).get(200, TimeUnit.MILLISECONDS))
                    .isZero();
            for (CompletableFuture<Duration> each : locked) {
                assertThat(each).failsWithin(Duration.ofSeconds(1));
            }
            assertThat(TestDatabase.query("SELECT count(*) FROM pg_locks WHERE NOT granted"))
                    .containsExactly("0");
        }
        assertThat(replica.take("locked", 600).join()).isZero();
    }

    /** With a synchronous standby that isn't there, what waits for a durable commit waits for ever. */
    @Test
    void takingWaitsForNoDurableCommit() throws Exception {
        FleetBuckets replica = replica();
        TestDatabase.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
        TestDatabase.query("SELECT pg_reload_conf()");
        try {
            Thread.sleep(Duration.ofMillis(500));
            assertThat(replica.take("quick", 60).get(1, TimeUnit.SECONDS)).isZero();
            assertThat(replica.take("quick", 60).get(1, TimeUnit.SECONDS)).isZero();
            replica.removeFull();
        } finally {
            // Without a transaction, as it would wait for the standby too.
            TestDatabase.execute("ALTER SYSTEM RESET synchronous_standby_names");
            TestDatabase.query("SELECT pg_reload_conf()");
        }
    }

    @Test
    void nextBorrowerOfAConnectionHasDurableCommits() throws Exception {
        assertThat(table.take("x", 1, 10, 10).granted()).isEqualTo(1);
        try (Connection connection = table.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT current_setting('synchronous_commit')")) {
            row.next();
            assertThat(row.getString(1)).isEqualTo("on");
        }
    }

    @Test
    void onlyBucketsThatAreFullAgainAreRemoved() {
        TestDatabase.execute("""
                INSERT INTO limit_bucket
                SELECT 'full' || i, 0, 1, now() - interval '61 seconds' FROM generate_series(1, 2500) AS i
                UNION ALL
                SELECT 'in use', 0, 1, now() - interval '50 seconds'
                """);
        FleetBuckets replica = replica();
        replica.removeFull();
        assertThat(TestDatabase.query("SELECT count(*) FROM limit_bucket"))
                .as("a replica without a limit leaves the table alone")
                .containsExactly("2501");
        replica.take("used", 10).join();
        replica.removeFull();
        assertThat(TestDatabase.query("SELECT id FROM limit_bucket WHERE id LIKE 'full%' OR id = 'in use'"))
                .containsExactly("in use");
    }

    @Test
    void errorFailsTheCallsThatWaitAndNoLaterOne() {
        AtomicBoolean fails = new AtomicBoolean(true);
        BucketTable failing = new BucketTable(requests) {
            @Override
            Taken take(String id, int wanted, int capacity, int perMinute) throws SQLException {
                if (fails.getAndSet(false)) {
                    throw new OutOfMemoryError("made up");
                }
                return super.take(id, wanted, capacity, perMinute);
            }
        };
        try {
            FleetBuckets replica = new FleetBuckets(failing, config(), threads);
            assertThat(replica.take("any", 60)).failsWithin(1, TimeUnit.SECONDS);
            assertThat(replica.take("any", 60))
                    .succeedsWithin(1, TimeUnit.SECONDS)
                    .isEqualTo(Duration.ZERO);
        } finally {
            failing.close();
        }
    }

    /** As soon as it can be. */
    private static int admitted(FleetBuckets replica, String name, int perMinute, int calls) {
        int admitted = 0;
        for (int i = 0; i < calls; i++) {
            admitted += replica.take(name, perMinute).join().isZero() ? 1 : 0;
        }
        return admitted;
    }

    private static String xmin(String name) {
        return TestDatabase.query("SELECT xmin FROM limit_bucket WHERE id = '" + name + "'")
                .getFirst();
    }

    @Test
    void threadThatCannotStartLeavesNoCallWaiting() {
        ExecutorService full = Executors.newVirtualThreadPerTaskExecutor();
        full.close();
        FleetBuckets replica = new FleetBuckets(table, config(), full);
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> replica.take("any", 60)).isInstanceOf(RejectedExecutionException.class);
        }
    }

    private FleetBuckets replica() {
        return new FleetBuckets(table, config(), threads);
    }

    private static LimitConfig config() {
        return new SmallRyeConfigBuilder()
                .withMapping(LimitConfig.class)
                .build()
                .getConfigMapping(LimitConfig.class);
    }
}
