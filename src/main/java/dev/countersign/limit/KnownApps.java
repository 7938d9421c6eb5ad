package dev.countersign.limit;

import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import io.quarkus.virtual.threads.VirtualThreads;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;

/**
 * The registered apps that this replica was asked about. Calls about apps not known yet share one connection: one
 * statement asks about all of them.
 */
@ApplicationScoped
class KnownApps {

    /** Bounds the memory, to some 15 MB. */
    private static final int MOST_APPS = 100_000;

    /** Keeps a statement short. */
    private static final int ASKED_AT_ONCE = 1000;

    /**
     * How many apps may wait for an answer: as many as statements can answer within a request's time, unless the
     * database hangs.
     */
    static final int MOST_WAITING = 10_000;

    private final RegisteredApps registry;
    private final ExecutorService threads;
    private final Set<String> registered = ConcurrentHashMap.newKeySet();
    /** What the next statements will ask, by app ID: in order, so that made-up IDs hold up no other for long. */
    private final Map<String, CompletableFuture<Boolean>> waiting = new LinkedHashMap<>();

    private boolean asking;

    KnownApps(RegisteredApps registry, @VirtualThreads ExecutorService threads) {
        this.registry = registry;
        this.threads = threads;
    }

    /**
     * Whether the app is registered. A positive answer may be about a minute old; a negative one comes from a
     * statement that began after the call. Fails when the registry does not answer.
     */
    CompletableFuture<Boolean> isRegistered(String appId) {
        return registered.contains(appId) ? CompletableFuture.completedFuture(true) : question(appId);
    }

    private synchronized CompletableFuture<Boolean> question(String appId) {
        if (waiting.size() >= MOST_WAITING) {
            return CompletableFuture.failedFuture(new IllegalStateException("The registry does not answer in time"));
        }
        if (!asking) {
            // Set asking only after execute succeeded. Otherwise later calls would wait for a thread that never
            // started.
            threads.execute(this::ask);
            asking = true;
        }
        return waiting.computeIfAbsent(appId, id -> new CompletableFuture<>());
    }

    /** Asks the waiting questions, and again while there are more. */
    private void ask() {
        Map<String, CompletableFuture<Boolean>> questions = Map.of();
        try {
            for (questions = next(); !questions.isEmpty(); questions = next()) {
                Set<String> found = registry.registered(questions.keySet());
                if (registered.size() < MOST_APPS) {
                    registered.addAll(found);
                }
                questions.forEach((appId, answer) -> answer.complete(found.contains(appId)));
            }
        } catch (Throwable e) {
            // Not even an Error may leave calls unanswered. Those that wait fail too: while the database is away, they
            // would become more with each statement.
            List<CompletableFuture<Boolean>> unasked = stop();
            questions.values().forEach(answer -> answer.completeExceptionally(e));
            unasked.forEach(answer -> answer.completeExceptionally(e));
        }
    }

    private synchronized Map<String, CompletableFuture<Boolean>> next() {
        Map<String, CompletableFuture<Boolean>> next = new HashMap<>();
        for (String appId : waiting.keySet().stream().limit(ASKED_AT_ONCE).toList()) {
            next.put(appId, waiting.remove(appId));
        }
        asking = !next.isEmpty();
        return next;
    }

    /** Returns the questions that nobody will ask. The next call begins anew. */
    private synchronized List<CompletableFuture<Boolean>> stop() {
        asking = false;
        List<CompletableFuture<Boolean>> unasked = List.copyOf(waiting.values());
        waiting.clear();
        return unasked;
    }

    /** Forgets apps that are no longer registered. */
    @Scheduled(every = "1m", concurrentExecution = ConcurrentExecution.SKIP)
    void refresh() {
        List<String> known = List.copyOf(registered);
        int asked = 0;
        try {
            while (asked < known.size()) {
                int next = Math.min(known.size(), asked + ASKED_AT_ONCE);
                Set<String> gone = new HashSet<>(known.subList(asked, next));
                gone.removeAll(registry.registered(Set.copyOf(gone)));
                registered.removeAll(gone);
                asked = next;
            }
        } catch (RuntimeException e) {
            // Forget the unchecked apps too. The next call about one asks again; if that fails, the failure is logged.
            known.subList(asked, known.size()).forEach(registered::remove);
        }
        if (known.size() >= MOST_APPS) {
            // Room for others, which are busier than some of these.
            registered.clear();
        }
    }
}
