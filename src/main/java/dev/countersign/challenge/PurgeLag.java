package dev.countersign.challenge;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.function.ToDoubleFunction;
import org.jboss.logging.Logger;

/**
 * Shows since when the oldest partition has been due, how many are ahead, and what has gone to the default one. Measured
 * beside the purge and not by it: a purge that fails, or is off on this replica, is what the numbers must tell of.
 */
@ApplicationScoped
class PurgeLag {

    private static final Logger LOG = Logger.getLogger(PurgeLag.class);

    /** Not numbers when they are not known: the least of several replicas' is then another's. */
    private static final Measures UNKNOWN = new Measures(Double.NaN, Double.NaN, Double.NaN);

    private final SessionPartitions partitions;
    private final ChallengeSessionRepository sessions;
    private volatile Measures last = UNKNOWN;

    PurgeLag(SessionPartitions partitions, ChallengeSessionRepository sessions, MeterRegistry metrics) {
        this.partitions = partitions;
        this.sessions = sessions;
        gauge(metrics, "purge.lag.seconds", "Seconds since the oldest existing partition expired", Measures::lag);
        gauge(metrics, "partitions.ahead", "Partitions that begin later than now", Measures::ahead);
        gauge(metrics, "partitions.default.rows", "Rows of the default partition", Measures::defaultRows);
    }

    private void gauge(MeterRegistry metrics, String name, String description, ToDoubleFunction<Measures> measure) {
        Gauge.builder("countersign." + name, () -> measure.applyAsDouble(last))
                .description(description)
                .register(metrics);
    }

    @Scheduled(every = "1m", concurrentExecution = ConcurrentExecution.SKIP)
    void measure() {
        try {
            last = new Measures(partitions.lagSeconds(), partitions.ahead(), sessions.countDefault());
        } catch (RuntimeException e) {
            last = UNKNOWN;
            LOG.warnf(e, "The purge's lag could not be measured, which is tried again in a minute");
        }
    }

    private record Measures(double lag, double ahead, double defaultRows) {}
}
