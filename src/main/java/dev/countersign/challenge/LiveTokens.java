package dev.countersign.challenge;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jboss.logging.Logger;

/**
 * Reports how many unexpired tokens still need the key that they were made with. A redeemed token needs it for its
 * repeats. A key that no token needs may be removed.
 */
@ApplicationScoped
class LiveTokens {

    private static final Logger LOG = Logger.getLogger(LiveTokens.class);

    /** How long a count may wait for a lock. It blocks nobody while it waits. */
    private static final Duration LOCK = Duration.ofSeconds(10);

    private final SessionPartitions partitions;
    private final ChallengeSessionRepository sessions;
    private final MultiGauge gauge;

    LiveTokens(SessionPartitions partitions, ChallengeSessionRepository sessions, MeterRegistry metrics) {
        this.partitions = partitions;
        this.sessions = sessions;
        this.gauge = MultiGauge.builder("countersign.tokens.live")
                .description("Tokens that can be redeemed, or their redeem repeated, in the whole database, by key")
                .register(metrics);
    }

    /** Runs as often as the purge. */
    @Scheduled(every = "{countersign.purge.every}", concurrentExecution = ConcurrentExecution.SKIP)
    void count() {
        Map<String, Long> live = new HashMap<>();
        try {
            for (String partition : partitions.patiently(LOCK, partitions::unexpired)) {
                // One transaction for each partition: locks that lasted for all of them would block the purge.
                partitions
                        .patiently(LOCK, () -> sessions.countLive(partition))
                        .forEach((key, tokens) -> live.merge(key, tokens, Long::sum));
            }
        } catch (RuntimeException e) {
            // The numbers that it showed are no longer known to be true.
            live.clear();
            LOG.warn("The live tokens could not be counted; the next count tries again", e);
        }
        List<Row<?>> rows = new ArrayList<>();
        live.forEach((key, tokens) -> rows.add(Row.of(Tags.of("key", key), tokens)));
        gauge.register(rows, true);
    }
}
