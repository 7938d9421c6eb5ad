package dev.countersign.challenge;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import io.quarkus.scheduler.common.runtime.util.SchedulerUtils;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.context.control.ActivateRequestContext;
import jakarta.enterprise.event.Observes;
import jakarta.persistence.LockTimeoutException;
import jakarta.persistence.PersistenceException;
import jakarta.persistence.PessimisticLockException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.ToIntFunction;
import org.jboss.logging.Logger;

/**
 * Makes partitions before they are needed, drops those that have wholly expired, and deletes expired rows of the
 * default partition.
 */
@ApplicationScoped
class ExpiredSessionPurge {

    private static final Logger LOG = Logger.getLogger(ExpiredSessionPurge.class);

    /** How long a start may wait for another replica. */
    private static final Duration PREPARATION = Duration.ofSeconds(2);

    private final SessionPartitions partitions;
    private final int batchSize;
    private final String every;
    private final Counter rowsDeleted;
    private final Counter partitionsDropped;

    ExpiredSessionPurge(SessionPartitions partitions, PurgeConfig config, MeterRegistry metrics) {
        this.partitions = partitions;
        this.batchSize = config.batchSize();
        this.every = config.every();
        this.rowsDeleted = Counter.builder("countersign.purge.rows")
                .description("Expired rows deleted from the default partition")
                .register(metrics);
        this.partitionsDropped = Counter.builder("countersign.purge.partitions")
                .description("Expired partitions dropped")
                .register(metrics);
    }

    /**
     * Makes the partitions before the first request comes in. A row in the default partition would keep its slot's
     * partition from being attached until the row has expired.
     */
    @ActivateRequestContext
    void prepare(@Observes StartupEvent event) {
        if (SchedulerUtils.isOff(every)) {
            return;
        }
        try {
            Instant deadline = Instant.now().plus(PREPARATION);
            each("attach", partitions.missing(), slot -> attachUntil(deadline, slot));
        } catch (RuntimeException e) {
            LOG.warnf(e, "The partitions could not be made; the next purge tries again");
        }
    }

    /** Attaches the partition of a slot. Until the deadline, waits for another replica that is changing partitions. */
    private int attachUntil(Instant deadline, Instant slot) {
        Optional<Integer> attached = partitions.attach(slot);
        while (attached.isEmpty() && Instant.now().isBefore(deadline)) {
            LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
            attached = partitions.attach(slot);
        }
        return attached.orElse(0);
    }

    @Scheduled(every = "{countersign.purge.every}", concurrentExecution = ConcurrentExecution.SKIP)
    void run() {
        try {
            LOG.debugf("%s", purge());
        } catch (LockTimeoutException | PessimisticLockException e) {
            LOG.debugf(e, "The table is busy; the next purge tries again");
        } catch (RuntimeException e) {
            LOG.warnf(e, "The purge failed; the next purge tries again");
        }
    }

    /**
     * Purges once. Several purges may run at once, in one process or many: one of them makes each change. A change that
     * fails because the table is busy is left for the next purge.
     */
    @ActivateRequestContext
    Result purge() {
        int dropped = each("drop", partitions.expired(), partitions::drop);
        int deleted = each("empty", List.of("challenge_session_default"), _ -> emptyDefault());
        int attached = each(
                "attach", partitions.missing(), slot -> partitions.attach(slot).orElse(0));
        partitionsDropped.increment(dropped);
        return new Result(attached, dropped, deleted);
    }

    private int emptyDefault() {
        int total = 0;
        int deleted;
        do {
            deleted = partitions.deleteFromDefault(batchSize);
            rowsDeleted.increment(deleted);
            total += deleted;
        } while (deleted == batchSize);
        return total;
    }

    /** Applies a change to each element. A failure doesn't stop the others; only the first failure is logged. */
    private static <T> int each(String change, List<T> all, ToIntFunction<T> each) {
        int done = 0;
        List<PersistenceException> failures = new ArrayList<>();
        for (T one : all) {
            try {
                done += each.applyAsInt(one);
            } catch (LockTimeoutException | PessimisticLockException e) {
                LOG.debugf(e, "Busy: %s; the next purge tries again", one);
            } catch (PersistenceException e) {
                failures.add(e);
            }
        }
        if (!failures.isEmpty()) {
            LOG.warnf(
                    failures.getFirst(),
                    "The purge failed to %s %d of %d partitions; the next purge tries again",
                    change,
                    failures.size(),
                    all.size());
        }
        return done;
    }

    /** What one purge did. */
    record Result(int partitionsAttached, int partitionsDropped, int rowsDeleted) {}
}
