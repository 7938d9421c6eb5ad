package dev.countersign.challenge;

import io.quarkus.narayana.jta.QuarkusTransaction;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.IntSupplier;
import org.hibernate.Session;

/**
 * The partitions of the session table, five minutes of expiry each, and the default one behind them. Each change is a
 * short transaction of its own, made by one replica at a time, that gives up rather than make creates queue behind it.
 */
@ApplicationScoped
class SessionPartitions {

    /** Any number, as long as every replica uses the same. */
    static final long ADVISORY_LOCK = 0x636f756e74657273L;

    /** The longest TTL, and then what a purge that fails for a while may miss. */
    static final Duration AHEAD = Duration.ofMinutes(60 + 30);

    static final String DELETE_FROM_DEFAULT = """
            DELETE FROM challenge_session_default
             WHERE ctid = ANY (ARRAY (
                   SELECT ctid FROM challenge_session_default
                    WHERE expires_at <= now()
                    LIMIT :batchSize
                      FOR UPDATE SKIP LOCKED))
            """;

    private final Session entities;

    SessionPartitions(Session entities) {
        this.entities = entities;
    }

    /** The beginnings of the slots, from now on, that have no partition. */
    List<Instant> missing() {
        return entities.createNativeQuery("""
                        SELECT slot FROM missing_session_slots(now() + make_interval(secs => :ahead)) AS slot
                        """, Instant.class)
                .setParameter("ahead", (double) AHEAD.toSeconds())
                .getResultList();
    }

    /** The names of the partitions in which everything has expired, by the database's clock. */
    List<String> expired() {
        return entities.createNativeQuery("""
                        SELECT name FROM challenge_session_partition WHERE ends_at <= now() ORDER BY ends_at
                        """, String.class).getResultList();
    }

    /** Seconds since the oldest partition that still exists has expired; 0 when none has. */
    double lagSeconds() {
        return entities.createNativeQuery("""
                        SELECT greatest(0, coalesce(extract(epoch FROM now() - min(ends_at)), 0))
                          FROM challenge_session_partition
                        """, Double.class).getSingleResult();
    }

    /**
     * Makes the partition of a slot and attaches it.
     *
     * @return 1 when it did, 0 when another replica had; empty when another replica is at it now
     * @throws RuntimeException when the default partition already holds rows of the slot, or the table was too busy
     */
    OptionalInt attach(Instant slot) {
        return alone(() -> count(entities.createNativeQuery("SELECT attach_session_partition(:slot)", Boolean.class)
                .setParameter("slot", slot)
                .getSingleResult()));
    }

    /**
     * Drops an expired partition, whatever it holds. The database refuses one that has not expired.
     *
     * @return as {@link #attach}
     */
    OptionalInt drop(String partition) {
        return alone(() -> count(entities.createNativeQuery("SELECT drop_session_partition(:partition)", Boolean.class)
                .setParameter("partition", partition)
                .getSingleResult()));
    }

    /** Deletes at most so many expired rows of the default partition; returns how many. */
    OptionalInt deleteFromDefault(int batchSize) {
        return alone(() -> entities.createNativeMutationQuery(DELETE_FROM_DEFAULT)
                .setParameter("batchSize", batchSize)
                .executeUpdate());
    }

    private OptionalInt alone(IntSupplier change) {
        return QuarkusTransaction.requiringNew().call(() -> {
            boolean alone = entities.createNativeQuery("SELECT pg_try_advisory_xact_lock(:lock)", Boolean.class)
                    .setParameter("lock", ADVISORY_LOCK)
                    .getSingleResult();
            if (!alone) {
                return OptionalInt.empty();
            }
            // A create that came after us waits for no longer than this.
            entities.createNativeQuery("SELECT set_config('lock_timeout', '100ms', true)", String.class)
                    .getSingleResult();
            return OptionalInt.of(change.getAsInt());
        });
    }

    private static int count(boolean done) {
        return done ? 1 : 0;
    }
}
