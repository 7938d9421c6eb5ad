package dev.countersign.challenge;

import static dev.countersign.support.Tokens.create;
import static dev.countersign.support.Tokens.get;
import static dev.countersign.support.Tokens.read;
import static org.assertj.core.api.Assertions.as;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.throwable;
import static org.awaitility.Awaitility.await;

import dev.countersign.support.ServiceTest;
import dev.countersign.support.TestDatabase;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.logging.Handler;
import java.util.stream.IntStream;
import javax.sql.DataSource;
import org.jboss.logging.Logger;
import org.jboss.logmanager.ExtHandler;
import org.jboss.logmanager.ExtLogRecord;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The purge, called by the test and not by its schedule. */
@QuarkusTest
@TestProfile(PurgeTest.Unscheduled.class)
class PurgeTest extends ServiceTest {

    private static final Logger LOG = Logger.getLogger(PurgeTest.class);

    /** From now on, one each five minutes, for as long as a token may live and half an hour more. */
    private static final int AHEAD = 19;

    @Inject
    ExpiredSessionPurge purge;

    @Inject
    SessionPartitions partitions;

    @Inject
    ChallengeSessionRepository sessions;

    @Inject
    PurgeConfig config;

    @Inject
    MeterRegistry serviceMetrics;

    @Inject
    DataSource dataSource;

    public static class Unscheduled implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("countersign.purge.every", "off", "countersign.purge.batch-size", "10");
        }
    }

    /** Counts of partitions change with the slot. */
    @BeforeEach
    void notAtTheEndOfASlot() {
        await().atMost(Duration.ofSeconds(30)).until(() -> Instant.now().getEpochSecond() % 300 < 280);
    }

    @BeforeEach
    void noPartitions() {
        for (String partition : partitions()) {
            TestDatabase.execute("DROP TABLE " + partition);
        }
        TestDatabase.execute("DELETE FROM challenge_session");
    }

    @Test
    void partitionsAreMadeAheadForTheLongestTtlAndThenSome() {
        ExpiredSessionPurge.Result result = purge.purge();
        assertThat(result.partitionsAttached()).isEqualTo(AHEAD);
        assertThat(partitions()).hasSize(AHEAD);
        TestDatabase.register("patient", 3600);
        Map<String, String> token = create("patient");
        assertThat(partitionOf(token)).startsWith("challenge_session_p");
        assertThat(purge.purge()).isEqualTo(new ExpiredSessionPurge.Result(0, 0, 0));
    }

    @Test
    void whollyExpiredPartitionIsDroppedAndNoLiveRowWithIt() {
        long slot = Instant.now().getEpochSecond() / 300 * 300;
        // The one before the current slot has expired to its last millisecond; the current one has not.
        attach(slot - 300);
        attach(slot);
        insertExpiring("slot-before", slot - 300 + 299.999);
        TestDatabase.register("demo");
        insertExpiring("slot-now", slot + 299.999);

        assertThat(purge.purge().partitionsDropped()).isEqualTo(1);

        assertThat(partitions())
                .contains("challenge_session_p" + slot)
                .doesNotContain("challenge_session_p" + (slot - 300));
        assertThat(TestDatabase.query("SELECT issued_to FROM challenge_session"))
                .containsExactly("slot-now");
    }

    @Test
    void databaseItselfRefusesToDropAPartitionThatMayHoldALiveRow() {
        long slot = Instant.now().getEpochSecond() / 300 * 300;
        attach(slot);
        assertThatThrownBy(() -> TestDatabase.query("SELECT drop_session_partition('challenge_session_p" + slot + "')"))
                .hasRootCauseMessage("ERROR: partition challenge_session_p" + slot + " has not expired\n  Where: "
                        + "PL/pgSQL function drop_session_partition(text) line 9 at RAISE");
        assertThat(partitions()).containsExactly("challenge_session_p" + slot);
    }

    @Test
    void liveTokenInThePartitionThatExpiresNextStaysReadable() {
        TestDatabase.register("shortlived", 15);
        purge.purge();
        Map<String, String> token = create("shortlived");
        purge.purge();
        assertThat(read("shortlived", token.get("sessionId"))).isEqualTo(token);
    }

    @Test
    void serviceThatSleptForHoursCleansUpInOneGo() {
        long slot = Instant.now().getEpochSecond() / 300 * 300;
        for (int past = 1; past <= 60; past++) {
            attach(slot - past * 300L);
            insertExpiring("old", slot - past * 300L + 1);
        }
        insertExpiring("older", slot - 100 * 300L);

        ExpiredSessionPurge.Result result = purge.purge();

        assertThat(result).isEqualTo(new ExpiredSessionPurge.Result(AHEAD, 60, 1));
        assertThat(TestDatabase.query("SELECT count(*) FROM challenge_session")).containsExactly("0");
    }

    @Test
    void createWhileNoPartitionIsReadyLandsInTheDefaultOneWhichIsEmptiedInBatches() {
        TestDatabase.register("shortlived", 1);
        List<Map<String, String>> tokens =
                IntStream.range(0, 35).mapToObj(i -> create("shortlived")).toList();
        Map<String, String> patient = create("demo");
        assertThat(partitionOf(patient)).isEqualTo("challenge_session_default");
        assertThat(read("demo", patient.get("sessionId"))).isEqualTo(patient);
        TestDatabase.query("SELECT pg_sleep(1.1)");

        // The slot whose row lives in the default partition can't be attached yet, and doesn't stop the others.
        ExpiredSessionPurge.Result result = purge.purge();
        assertThat(result.rowsDeleted()).isEqualTo(tokens.size());
        assertThat(result.partitionsAttached()).isEqualTo(AHEAD - 1);
        assertThat(read("demo", patient.get("sessionId"))).isEqualTo(patient);

        TestDatabase.execute("DELETE FROM challenge_session_default");
        assertThat(purge.purge().partitionsAttached()).isEqualTo(1);
    }

    @Test
    void partitionsAreMadeThoughTheDefaultOneCanNotBeEmptied() {
        insertExpiring("old", Instant.now().getEpochSecond() - 3600);
        TestDatabase.execute("""
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''refused''; END';
                CREATE TRIGGER refuse BEFORE DELETE ON challenge_session_default EXECUTE FUNCTION refuse();
                """);
        try {
            assertThat(purge.purge()).isEqualTo(new ExpiredSessionPurge.Result(AHEAD, 0, 0));
        } finally {
            TestDatabase.execute("DROP FUNCTION refuse CASCADE");
        }
        assertThat(purge.purge()).isEqualTo(new ExpiredSessionPurge.Result(0, 0, 1));
    }

    /** How many rows that have not expired there are must not matter. */
    @Test
    void expiredRowsOfTheDefaultPartitionAreFoundByAnIndex() throws SQLException {
        try (Connection connection = dataSource.getConnection();
                Statement statement = connection.createStatement();
                ResultSet plan = statement.executeQuery("EXPLAIN (FORMAT JSON) "
                        + ChallengeSessionRepository.EMPTY_DEFAULT.replace(":batchSize", "10"))) {
            assertThat(plan.next()).isTrue();
            assertThat(plan.getString(1))
                    .contains("challenge_session_default_expires_at_idx")
                    .doesNotContain("Seq Scan");
        }
    }

    /** As after hours without partitions: those that creates reach later are attached beside everybody's work. */
    @Test
    void fullDefaultPartitionIsNotReadUnderALock() throws SQLException {
        fillDefaultPartition(10_001, 4);
        assertThat(TestDatabase.query("SELECT count(*) FROM missing_session_slots()"))
                .as("those that begin an hour from now")
                .containsAnyOf("6", "5");
        String guard = TestDatabase.query("SELECT max(slot) FROM missing_session_slots() AS slot")
                .getFirst();
        String attach = "SELECT attach_session_partition('" + guard + "')";
        assertThat(TestDatabase.query(attach)).containsExactly("guarded");
        try (Connection looking = TestDatabase.connect();
                Statement statement = looking.createStatement()) {
            looking.setAutoCommit(false);
            try (ResultSet step = statement.executeQuery(attach)) {
                assertThat(step.next()).isTrue();
                assertThat(step.getString(1)).isEqualTo("validated");
            }
            // Its lock is held still, and in nobody's way.
            TestDatabase.execute("DELETE FROM challenge_session_default WHERE issued_to = 'nobody'");
            create("demo");
            looking.commit();
        }
        assertThat(purge.purge().partitionsAttached()).isBetween(5, 6);
        assertThat(TestDatabase.query("SELECT count(*) FROM pg_constraint WHERE conname LIKE 'guard_%'"))
                .containsExactly("0");
    }

    /** As after purges that guarded a slot and then failed, until creates came near it. */
    @ParameterizedTest
    @CsvSource({
        "NOT VALID, many elsewhere, 0",
        "'', many elsewhere, 1",
        "NOT VALID, none, 1",
        "NOT VALID, one of the slot, 0"
    })
    void guardDoesNotStayUntilCreatesReachItsSlot(String valid, String rows, int attached) {
        if (rows.equals("many elsewhere")) {
            fillDefaultPartition(10_001, 4);
        } else if (rows.equals("one of the slot")) {
            fillDefaultPartition(1, 50);
        }
        String slot = TestDatabase.query(
                        "SELECT date_bin('5 minutes', now() + interval '50 minutes', timestamptz 'epoch')")
                .getFirst();
        guard(slot, valid);
        purge.purge();
        assertThat(TestDatabase.query("SELECT count(*) FROM pg_constraint WHERE conname LIKE 'guard_%'"))
                .containsExactly("0");
        assertThat(TestDatabase.query(
                        "SELECT count(*) FROM challenge_session_partition WHERE starts_at = '" + slot + "'"))
                .containsExactly("" + attached);
    }

    @Test
    void slotWithARowInTheDefaultPartitionIsPostponed() {
        fillDefaultPartition(1, 50);
        String slot = TestDatabase.query("SELECT date_bin('5 minutes', expires_at, timestamptz 'epoch')"
                        + " FROM challenge_session_default")
                .getFirst();
        guard(slot, "NOT VALID");
        assertThat(TestDatabase.query("SELECT attach_session_partition('" + slot + "')"))
                .containsExactly("postponed");
    }

    private static void guard(String slot, String valid) {
        TestDatabase.execute("""
                DO $$
                DECLARE
                    slot timestamptz := '%s';
                BEGIN
                    EXECUTE format('ALTER TABLE challenge_session_default ADD CONSTRAINT %%I'
                                   ' CHECK (session_id < %%L::uuid OR session_id >= %%L::uuid) %s',
                                   'guard_' || extract(epoch FROM slot)::bigint, session_id_floor(slot),
                                   session_id_floor(slot + interval '5 minutes'));
                END
                $$
                """.formatted(slot, valid));
    }

    private static void fillDefaultPartition(int rows, int minutes) {
        TestDatabase.execute("""
                INSERT INTO challenge_session
                       (app_id, app_generation, session_id, key_id, salt, issued_to, created_at, expires_at)
                SELECT 'demo', 0, cast(session_id_prefix(expiry) || '8000' || '8' || lpad(to_hex(n), 15, '0') AS uuid),
                       'test', decode('00112233445566778899aabbccddeeff', 'hex'), 'many', now(), expiry
                  FROM (SELECT now() + interval '%d minutes' AS expiry), generate_series(1, %d) AS n
                """.formatted(minutes, rows));
    }

    @Test
    void purgeThatMayNotAttachWarnsOnceAndOneThatWaitsDoesNot() throws SQLException {
        List<String> warned = new CopyOnWriteArrayList<>();
        Handler handler = new ExtHandler() {
            @Override
            protected void doPublish(ExtLogRecord line) {
                if (line.getLevel().intValue() >= java.util.logging.Level.WARNING.intValue()) {
                    warned.add(String.format(line.getMessage(), line.getParameters()));
                }
            }
        };
        java.util.logging.Logger log = java.util.logging.Logger.getLogger(ExpiredSessionPurge.class.getName());
        log.addHandler(handler);
        try (Connection busy = TestDatabase.connect();
                Statement statement = busy.createStatement()) {
            purge.purge();
            attach(Instant.now().getEpochSecond() / 300 * 300 - 300);
            busy.setAutoCommit(false);
            statement.execute("SELECT count(*) FROM challenge_session");
            assertThat(purge.purge().partitionsDropped()).isZero();
            busy.rollback();
            assertThat(warned).isEmpty();
            noPartitions();
            TestDatabase.execute("ALTER FUNCTION attach_session_partition(timestamptz) RENAME TO mislaid");
            try {
                assertThat(purge.purge().partitionsAttached()).isZero();
            } finally {
                TestDatabase.execute("ALTER FUNCTION mislaid(timestamptz) RENAME TO attach_session_partition");
            }
            assertThat(warned)
                    .containsExactly("The purge failed to attach " + AHEAD + " of " + AHEAD
                            + " partitions; the next purge tries again");
        } finally {
            log.removeHandler(handler);
        }
    }

    @Test
    void partitionsAheadAndRowsOfTheDefaultOneAreShown() {
        MeterRegistry metrics = new SimpleMeterRegistry();
        PurgeLag lag = new PurgeLag(partitions, sessions, metrics);
        create("demo");
        lag.measure();
        assertThat(metrics.get("countersign.partitions.ahead").gauge().value()).isZero();
        assertThat(metrics.get("countersign.partitions.default.rows").gauge().value())
                .isEqualTo(1);
        TestDatabase.execute("DELETE FROM challenge_session");
        purge.purge();
        lag.measure();
        assertThat(metrics.get("countersign.partitions.ahead").gauge().value()).isEqualTo(AHEAD - 1);
        assertThat(metrics.get("countersign.partitions.default.rows").gauge().value())
                .isZero();
    }

    @Test
    void severalPurgesAtOnceMakeEachChangeOnce() throws Exception {
        long slot = Instant.now().getEpochSecond() / 300 * 300;
        for (int past = 1; past <= 20; past++) {
            attach(slot - past * 300L);
        }
        for (int i = 0; i < 100; i++) {
            insertExpiring("old", slot - 100 * 300L);
        }
        int attached = 0;
        int dropped = 0;
        int deleted = 0;
        try (ExecutorService replicas = Executors.newFixedThreadPool(4)) {
            Callable<ExpiredSessionPurge.Result> one = purge::purge;
            for (int round = 0; round < 5; round++) {
                for (Future<ExpiredSessionPurge.Result> result : replicas.invokeAll(List.of(one, one, one, one))) {
                    attached += result.get().partitionsAttached();
                    dropped += result.get().partitionsDropped();
                    deleted += result.get().rowsDeleted();
                }
            }
        }
        assertThat(List.of(attached, dropped, deleted)).containsExactly(AHEAD, 20, 100);
    }

    @Test
    void purgeGivesUpOnABusyTableSoonAndDoesItNextTime() throws SQLException {
        long slot = Instant.now().getEpochSecond() / 300 * 300;
        attach(slot - 300);
        try (Connection busy = TestDatabase.connect();
                Statement statement = busy.createStatement()) {
            busy.setAutoCommit(false);
            statement.execute("SELECT count(*) FROM challenge_session");
            assertThat(purge.purge().partitionsDropped()).isZero();
            busy.rollback();
        }
        assertThat(purge.purge().partitionsDropped()).isEqualTo(1);
    }

    @Test
    void lagIsShownWhileAPurgeCanDoNothingAndEndsWhenOneDid() throws SQLException {
        MeterRegistry metrics = new SimpleMeterRegistry();
        PurgeLag lag = new PurgeLag(partitions, sessions, metrics);
        assertThat(lag(metrics)).isNaN();
        long slot = Instant.now().getEpochSecond() / 300 * 300;
        attach(slot - 900);
        try (Connection busy = TestDatabase.connect();
                Statement statement = busy.createStatement()) {
            busy.setAutoCommit(false);
            statement.execute("SELECT count(*) FROM challenge_session");
            purge.purge();
            lag.measure();
            assertThat(lag(metrics)).isBetween(600.0, 600.0 + 330);
            busy.rollback();
        }
        purge.purge();
        lag.measure();
        assertThat(lag(metrics)).isZero();
    }

    @Test
    void lagThatCanNotBeMeasuredIsNotANumber() {
        MeterRegistry metrics = new SimpleMeterRegistry();
        PurgeLag lag = new PurgeLag(partitions, sessions, metrics);
        lag.measure();
        assertThat(lag(metrics)).isZero();
        TestDatabase.execute("ALTER VIEW challenge_session_partition RENAME TO mislaid");
        try {
            lag.measure();
            assertThat(lag(metrics)).isNaN();
        } finally {
            TestDatabase.execute("ALTER VIEW mislaid RENAME TO challenge_session_partition");
        }
    }

    @Test
    void lagIsMeasuredThoughThisReplicaDoesNotPurge() {
        await().atMost(Duration.ofSeconds(5)).ignoreExceptions().until(() -> !Double.isNaN(lag(serviceMetrics)));
    }

    @Test
    void whatAPurgeDidIsCounted() {
        MeterRegistry metrics = new SimpleMeterRegistry();
        ExpiredSessionPurge counted = new ExpiredSessionPurge(partitions, config, metrics);
        long slot = Instant.now().getEpochSecond() / 300 * 300;
        attach(slot - 600);
        attach(slot - 300);
        for (int i = 0; i < 15; i++) {
            insertExpiring("old", slot - 100 * 300L);
        }
        ExpiredSessionPurge.Result result = counted.purge();
        assertThat(result).isEqualTo(new ExpiredSessionPurge.Result(AHEAD, 2, 15));
        assertThat(metrics.get("countersign.purge.partitions").counter().count())
                .isEqualTo(2);
        assertThat(metrics.get("countersign.purge.rows").counter().count()).isEqualTo(15);
    }

    @Test
    void purgeLeavesAllToAReplicaThatIsAtIt() throws SQLException {
        long slot = Instant.now().getEpochSecond() / 300 * 300;
        attach(slot - 300);
        insertExpiring("old", slot - 100 * 300L);
        try (Connection other = TestDatabase.connect();
                Statement statement = other.createStatement()) {
            statement.execute("SELECT pg_advisory_lock(" + SessionPartitions.ADVISORY_LOCK + ")");
            assertThat(purge.purge()).isEqualTo(new ExpiredSessionPurge.Result(0, 0, 0));
            statement.execute("SELECT pg_advisory_unlock(" + SessionPartitions.ADVISORY_LOCK + ")");
        }
        assertThat(purge.purge()).isEqualTo(new ExpiredSessionPurge.Result(AHEAD, 1, 1));
    }

    /** However long it takes: here it waits for a partition that somebody else has locked. */
    @Test
    void countOfLiveTokensMayTakeLongAndIsNotInItsWay() throws Exception {
        long slot = Instant.now().getEpochSecond() / 300 * 300;
        purge.purge();
        attach(slot - 300);
        insertExpiring("somebody", slot + 700);
        MeterRegistry metrics = new SimpleMeterRegistry();
        LiveTokens liveTokens = new LiveTokens(partitions, sessions, metrics);
        String locked = "challenge_session_p" + (slot + 600);
        try (ExecutorService scheduler = Executors.newSingleThreadExecutor();
                Connection other = TestDatabase.connect();
                Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute("LOCK TABLE " + locked);
            Future<?> count = scheduler.submit(liveTokens::count);
            await().atMost(Duration.ofSeconds(5))
                    .until(() -> TestDatabase.query("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = '"
                                    + locked + "'::regclass")
                            .equals(List.of("1")));
            assertThat(purge.purge().partitionsDropped()).isEqualTo(1);
            // A request would have given up by then.
            TestDatabase.query("SELECT pg_sleep(2.5)");
            assertThat(count).isNotDone();
            other.rollback();
            count.get();
        }
        assertThat(metrics.get("countersign.tokens.live")
                        .tag("key", "test")
                        .gauge()
                        .value())
                .isEqualTo(1);
    }

    @Test
    void countOfLiveTokensThatFailsLogsWhy() throws Exception {
        purge.purge();
        LiveTokens liveTokens = new LiveTokens(partitions, sessions, new SimpleMeterRegistry());
        String locked = partitions().getLast();
        List<Throwable> logged = new CopyOnWriteArrayList<>();
        Handler handler = new ExtHandler() {
            @Override
            protected void doPublish(ExtLogRecord line) {
                logged.add(line.getThrown());
            }
        };
        java.util.logging.Logger log = java.util.logging.Logger.getLogger(LiveTokens.class.getName());
        log.addHandler(handler);
        try (ExecutorService scheduler = Executors.newSingleThreadExecutor();
                Connection other = TestDatabase.connect();
                Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute("LOCK TABLE " + locked);
            Future<?> count = scheduler.submit(liveTokens::count);
            await().atMost(Duration.ofSeconds(5))
                    .until(() -> TestDatabase.query("""
                                    SELECT pg_terminate_backend(pid) FROM pg_locks
                                     WHERE NOT granted AND relation = '%s'::regclass
                                    """.formatted(locked)).equals(List.of("t")));
            count.get();
        } finally {
            log.removeHandler(handler);
        }
        assertThat(logged)
                .singleElement(as(throwable(Throwable.class)))
                .rootCause()
                .isInstanceOfSatisfying(
                        SQLException.class,
                        why -> assertThat(why.getSQLState())
                                .as("that an administrator ended the connection")
                                .isEqualTo("57P01"));
    }

    @Test
    void createsGoOnWhilePartitionsComeAndGo() throws Exception {
        TestDatabase.register("demo");
        AtomicBoolean done = new AtomicBoolean();
        AtomicLong longest = new AtomicLong();
        ConcurrentLinkedQueue<Map<String, String>> created = new ConcurrentLinkedQueue<>();
        CountDownLatch started = new CountDownLatch(8);
        long slot = Instant.now().getEpochSecond() / 300 * 300;
        int changes = 0;
        try (ExecutorService clients = Executors.newFixedThreadPool(8)) {
            List<Future<?>> running = new ArrayList<>();
            for (int client = 0; client < 8; client++) {
                running.add(clients.submit(() -> {
                    started.countDown();
                    while (!done.get()) {
                        long before = System.nanoTime();
                        created.add(create("demo"));
                        longest.accumulateAndGet(System.nanoTime() - before, Math::max);
                    }
                }));
            }
            started.await();
            for (int round = 1; round <= 40; round++) {
                attach(slot - round * 300L);
                ExpiredSessionPurge.Result result = purge.purge();
                changes += result.partitionsAttached() + result.partitionsDropped();
            }
            done.set(true);
            for (Future<?> client : running) {
                client.get();
            }
        }
        // What was too busy then goes now.
        await().atMost(Duration.ofSeconds(10)).until(() -> purge.purge().partitionsDropped() == 0);
        LOG.infof(
                "creates %d, refused 0, partitions attached or dropped meanwhile %d, longest create %d ms",
                created.size(), changes, Duration.ofNanos(longest.get()).toMillis());
        assertThat(changes).isPositive();
        assertThat(longest.get()).isLessThan(Duration.ofSeconds(2).toNanos());
        assertThat(TestDatabase.query("SELECT count(*) FROM challenge_session"))
                .containsExactly(Integer.toString(created.size()));
        get("demo", created.element().get("sessionId")).statusCode(200);
    }

    private static double lag(MeterRegistry metrics) {
        return metrics.get("countersign.purge.lag.seconds").gauge().value();
    }

    private static List<String> partitions() {
        return TestDatabase.query("SELECT name FROM challenge_session_partition ORDER BY name");
    }

    /** Also those that are not due any more, as they were when they were. */
    private static void attach(long slot) {
        TestDatabase.execute("""
                CREATE TABLE challenge_session_p%1$d PARTITION OF challenge_session
                   FOR VALUES FROM ('%2$s') TO ('%3$s')
                """.formatted(slot, floor(slot), floor(slot + 300)));
    }

    private static String floor(long epochSecond) {
        return TestDatabase.query("SELECT session_id_floor(to_timestamp(" + epochSecond + "))")
                .getFirst();
    }

    private static void insertExpiring(String issuedTo, Number epochSecond) {
        TestDatabase.execute("""
                INSERT INTO challenge_session
                       (app_id, app_generation, session_id, key_id, salt, issued_to, created_at, expires_at)
                SELECT 'demo', 0,
                       (session_id_prefix(expiry) || '8' || substr(md5(random()::text), 1, 3)
                        || '8' || substr(md5(random()::text), 1, 15))::uuid,
                       'test', decode('00112233445566778899aabbccddeeff', 'hex'), '%s', expiry - interval '1 hour', expiry
                  FROM to_timestamp(%s) AS expiry
                """.formatted(issuedTo, epochSecond));
    }

    private static String partitionOf(Map<String, String> token) {
        return TestDatabase.query("SELECT tableoid::regclass::text FROM challenge_session WHERE session_id = '"
                        + token.get("sessionId") + "'")
                .getFirst();
    }
}
