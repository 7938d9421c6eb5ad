package dev.countersign.limit;

import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * The rates of the registry. They are read again and again in the background, so that no request waits for them. They
 * are at most a second old; while the database is away, the last known ones hold.
 */
@ApplicationScoped
class RegisteredRates {

    private static final Logger LOG = Logger.getLogger(RegisteredRates.class);

    /** Half of the promised second, which leaves the other half to the query. */
    private static final Duration PAUSE = Duration.ofMillis(500);

    /** Bounds the memory, to some 15 MB. */
    static final int MOST_APPS = 100_000;

    private final RegisteredApps registry;
    private final ScheduledExecutorService clock;
    private volatile CompletableFuture<Map<String, Integer>> rates = new CompletableFuture<>();
    private @Nullable Future<?> reading;
    private boolean stopped;
    private boolean failing;
    private boolean full;

    RegisteredRates(RegisteredApps registry, ScheduledExecutorService clock) {
        this.registry = registry;
        this.clock = clock;
    }

    /** Starts after everything else that may refuse to start. */
    synchronized void start(@Observes @Priority(Integer.MAX_VALUE) StartupEvent event) {
        reading = clock.scheduleWithFixedDelay(this::read, 0, PAUSE.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Waits for a reading that is under way: later, its transaction could not end any more. */
    synchronized void stop(@Observes ShutdownEvent event) {
        if (reading != null) {
            reading.cancel(false);
        }
        stopped = true;
    }

    /**
     * Creates per minute, by app ID. The future is incomplete until the first reading, so that no call is admitted
     * unlimited.
     */
    CompletableFuture<Map<String, Integer>> rates() {
        return rates;
    }

    synchronized void read() {
        if (stopped) {
            return;
        }
        try {
            Map<String, Integer> read = registry.createTokensPerMinute(MOST_APPS);
            if (read.size() == MOST_APPS && !full) {
                LOG.warnf(
                        "%d apps have a rate of their own. For any further apps, the service's default applies:"
                                + " countersign.limit.create-token-per-minute",
                        MOST_APPS);
            }
            full = read.size() == MOST_APPS;
            failing = false;
            if (!rates.complete(read)) {
                rates = CompletableFuture.completedFuture(read);
            }
        } catch (Throwable e) {
            // Not even an Error may leave this method: the clock would not call it again.
            if (!failing) {
                LOG.warnf(e, "The rates of apps could not be read; the last known rates stay in force");
            }
            failing = true;
        }
    }
}
