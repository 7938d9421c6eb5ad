package dev.countersign.limit;

import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import io.quarkus.virtual.threads.VirtualThreads;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
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

    /** Keeps a statement short. */
    private static final int ASKED_AT_ONCE = 1000;

    private final RegisteredApps registry;
    private final ScheduledExecutorService clock;
    private final ExecutorService threads;
    private final Set<String> registered = ConcurrentHashMap.newKeySet();
    private final Map<String, CompletableFuture<Boolean>> questions = new ConcurrentHashMap<>();
    private volatile CompletableFuture<Map<String, Integer>> rates = new CompletableFuture<>();
    private @Nullable Future<?> reading;
    private boolean stopped;
    private boolean failing;
    private boolean full;

    RegisteredRates(RegisteredApps registry, ScheduledExecutorService clock, @VirtualThreads ExecutorService threads) {
        this.registry = registry;
        this.clock = clock;
        this.threads = threads;
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

    /**
     * Whether the app is registered. A positive answer may be a minute old, and a negative one as old as its question.
     * Calls at once share one question, and no call asks about an app that is known.
     */
    CompletableFuture<Boolean> isRegistered(String appId) {
        return registered.contains(appId)
                ? CompletableFuture.completedFuture(true)
                : questions.computeIfAbsent(appId, id -> CompletableFuture.supplyAsync(() -> ask(id), threads));
    }

    private boolean ask(String appId) {
        try {
            boolean is = !registry.registered(Set.of(appId)).isEmpty();
            if (is && registered.size() < MOST_APPS) {
                registered.add(appId);
            }
            return is;
        } finally {
            questions.remove(appId);
        }
    }

    /** Forgets apps that are no longer registered. If all calls asked again at once, they would take all connections. */
    @Scheduled(every = "1m", concurrentExecution = ConcurrentExecution.SKIP)
    void refresh() {
        List<String> known = List.copyOf(registered);
        try {
            for (int first = 0; first < known.size(); first += ASKED_AT_ONCE) {
                Set<String> gone = new HashSet<>(known.subList(first, Math.min(known.size(), first + ASKED_AT_ONCE)));
                gone.removeAll(registry.registered(Set.copyOf(gone)));
                registered.removeAll(gone);
            }
        } catch (RuntimeException e) {
            // Each is asked for again when it is called; what keeps the database away is logged there.
            registered.clear();
        }
        if (known.size() >= MOST_APPS) {
            // Room for others, which are busier than some of these.
            registered.clear();
        }
    }

    synchronized void read() {
        if (stopped) {
            return;
        }
        try {
            Map<String, Integer> read = registry.createTokensPerMinute(MOST_APPS);
            if (read.size() == MOST_APPS && !full) {
                LOG.warnf(
                        "%d apps have a rate of their own. Any more have the service's,"
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
                LOG.warnf(e, "The rates of apps could not be read; those last known hold until they can");
            }
            failing = true;
        }
    }
}
