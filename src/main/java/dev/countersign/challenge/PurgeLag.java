package dev.countersign.challenge;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.function.ToDoubleFunction;
import org.jboss.logging.Logger;

/**
 * Reports how long ago the oldest partition expired, how many partitions are ahead, and how many rows the default one
 * holds. It measures independently of the purge, so that the numbers show a purge that fails or is off on this replica.
 */
@ApplicationScoped
class PurgeLag {

    private static final Logger LOG = Logger.getLogger(PurgeLag.class);

    /** NaN when unknown, so that the minimum over several replicas is that of the others. */
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
            LOG.warnf(e, "The purge's lag could not be measured; the next try is in a minute");
        }
    }

    private record Measures(double lag, double ahead, double defaultRows) {}
}
