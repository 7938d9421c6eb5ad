package dev.countersign.challenge;

import io.quarkus.narayana.jta.QuarkusTransaction;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.hibernate.Session;

/**
 * The partitions of the session table, each for five minutes of expiry times, and the default partition. Each change is
 * a short transaction of its own, made by one replica at a time. It gives up rather than make creates queue behind it.
 */
@ApplicationScoped
class SessionPartitions {

    /** Any number, as long as every replica uses the same. */
    static final long ADVISORY_LOCK = 0x636f756e74657273L;

    /**
     * The timeout for reading one partition, which may hold ten million rows. It is longer than a request waits for the
     * database.
     */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Session database;
    private final ChallengeSessionRepository sessions;
    private final StatementTimeouts timeouts;

    SessionPartitions(Session database, ChallengeSessionRepository sessions, StatementTimeouts timeouts) {
        this.database = database;
        this.sessions = sessions;
        this.timeouts = timeouts;
    }

    /** The start times of the slots that have no partition and can get one now. */
    List<Instant> missing() {
        return patiently(
                timeouts.purgeLock(),
                () -> database.createNativeQuery("SELECT slot FROM missing_session_slots() AS slot", Instant.class)
                        .getResultList());
    }

    /** The names of the partitions in which everything has expired, by the database's clock. */
    List<String> expired() {
        return database.createNativeQuery("""
                        SELECT name FROM challenge_session_partition WHERE ends_at <= now() ORDER BY ends_at
                        """, String.class).getResultList();
    }

    /** The names of all other partitions, including the default one. */
    List<String> unexpired() {
        return database.createNativeQuery("""
                        SELECT name FROM challenge_session_partition WHERE ends_at > now()
                        UNION ALL
                        SELECT 'challenge_session_default'
                        """, String.class).getResultList();
    }

    /** Seconds since the oldest existing partition expired; 0 when none has expired. */
    double lagSeconds() {
        return database.createNativeQuery("""
                        SELECT greatest(0, coalesce(extract(epoch FROM now() - min(ends_at)), 0))
                          FROM challenge_session_partition
                        """, Double.class).getSingleResult();
    }

    /** How many partitions begin later than now. */
    long ahead() {
        return database.createNativeQuery("""
                        SELECT count(*) FROM challenge_session_partition WHERE starts_at > now()
                        """, Long.class).getSingleResult();
    }

    /**
     * Makes the partition of a slot and attaches it.
     *
     * @return 1 when this call attached it, 0 when it was there already or has to wait; empty when another replica is
     *     changing partitions now
     * @throws RuntimeException when the table was too busy, or the database refused
     */
    Optional<Integer> attach(Instant slot) {
        Optional<String> step;
        do {
            step = alone(() -> database.createNativeQuery("SELECT attach_session_partition(:slot)", String.class)
                    .setParameter("slot", slot)
                    .getSingleResult());
        } while (step.filter(List.of("guarded", "validated")::contains).isPresent());
        return step.map(last -> last.equals("attached") ? 1 : 0);
    }

    /**
     * Drops an expired partition, whatever it holds. The database refuses one that has not expired.
     *
     * @return 1 when this call dropped it, 0 when it was already gone or another replica is changing partitions now
     * @throws RuntimeException when the table was too busy, or the database refused
     */
    int drop(String partition) {
        return alone(() -> database.createNativeQuery("SELECT drop_session_partition(:partition)", Boolean.class)
                                .setParameter("partition", partition)
                                .getSingleResult()
                        ? 1
                        : 0)
                .orElse(0);
    }

    /**
     * Deletes at most {@code batchSize} expired rows of the default partition. Returns how many it deleted; 0 when
     * another replica is changing partitions now.
     */
    int deleteFromDefault(int batchSize) {
        return alone(() -> sessions.emptyDefault(batchSize)).orElse(0);
    }

    /**
     * Runs work that may take long in a transaction of its own, with longer timeouts on the server and in the driver.
     *
     * @param lock how long it may wait for a lock
     */
    <T> T patiently(Duration lock, Supplier<T> work) {
        return QuarkusTransaction.requiringNew()
                .call(() -> database.doReturningWork(connection -> {
                    int usual = connection.getNetworkTimeout();
                    // The server gives up first: then the connection can still be used.
                    connection.setNetworkTimeout(
                            Runnable::run, (int) PATIENCE.plusSeconds(2).toMillis());
                    // If closing fails on a broken connection too, the first exception is still the one thrown.
                    try (Restoration _ = () -> connection.setNetworkTimeout(Runnable::run, usual)) {
                        database.createNativeQuery("""
                                SELECT set_config('statement_timeout', :statement, true),
                                       set_config('lock_timeout', :lock, true)
                                """, Object[].class)
                                .setParameter("statement", PATIENCE.toMillis() + "ms")
                                .setParameter("lock", lock.toMillis() + "ms")
                                .getSingleResult();
                        return work.get();
                    }
                }));
    }

    private <T> Optional<T> alone(Supplier<T> change) {
        return patiently(timeouts.purgeLock(), () -> {
            boolean alone = database.createNativeQuery("SELECT pg_try_advisory_xact_lock(:lock)", Boolean.class)
                    .setParameter("lock", ADVISORY_LOCK)
                    .getSingleResult();
            return alone ? Optional.of(change.get()) : Optional.empty();
        });
    }

    @FunctionalInterface
    private interface Restoration extends AutoCloseable {

        @Override
        void close() throws SQLException;
    }
}
