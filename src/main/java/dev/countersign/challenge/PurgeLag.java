package dev.countersign.challenge;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.enterprise.context.ApplicationScoped;
import org.jboss.logging.Logger;

/**
 * Shows since when the oldest partition has been due. Measured beside the purge and not by it: a purge that fails, or is
 * off on this replica, is what the number must tell of.
 */
@ApplicationScoped
class PurgeLag {

    private static final Logger LOG = Logger.getLogger(PurgeLag.class);

    private final SessionPartitions partitions;

    /** Not a number when it is not known: the least of several replicas' is then another's. */
    private volatile double seconds = Double.NaN;

    PurgeLag(SessionPartitions partitions, MeterRegistry metrics) {
        this.partitions = partitions;
        Gauge.builder("countersign.purge.lag.seconds", () -> seconds)
                .description("Seconds since the oldest partition that still exists has expired")
                .register(metrics);
    }

    @Scheduled(every = "1m", concurrentExecution = ConcurrentExecution.SKIP)
    void measure() {
        try {
            seconds = partitions.lagSeconds();
        } catch (RuntimeException e) {
            seconds = Double.NaN;
            LOG.warnf(e, "The purge's lag could not be measured, which is tried again in a minute");
        }
    }
}
