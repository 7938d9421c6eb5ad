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

/** Shows how many tokens need the key they were made with, a redeemed one for its repeats: a key without any may go. */
@ApplicationScoped
class LiveTokens {

    private static final Logger LOG = Logger.getLogger(LiveTokens.class);

    /** It is in nobody's way while it waits. */
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

    /** As often as the purge, whose work it shows. */
    @Scheduled(every = "{countersign.purge.every}", concurrentExecution = ConcurrentExecution.SKIP)
    void count() {
        Map<String, Long> live = new HashMap<>();
        try {
            for (String partition : partitions.patiently(LOCK, partitions::unexpired)) {
                // Each in a transaction of its own: locks that lasted for all of them would be in the purge's way.
                partitions
                        .patiently(LOCK, () -> sessions.countLive(partition))
                        .forEach((key, tokens) -> live.merge(key, tokens, Long::sum));
            }
        } catch (RuntimeException e) {
            // What it showed is no longer known.
            live.clear();
            LOG.warn("The live tokens could not be counted; tried again at the next time", e);
        }
        List<Row<?>> rows = new ArrayList<>();
        live.forEach((key, tokens) -> rows.add(Row.of(Tags.of("key", key), tokens)));
        gauge.register(rows, true);
    }
}
