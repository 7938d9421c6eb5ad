package dev.countersign.http;

import dev.countersign.error.UnavailableException;
import io.quarkus.virtual.threads.VirtualThreads;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** Bounds the time of an operation, so that no caller waits for a database that is frozen or gone. */
@Singleton
public class RequestBudget {

    /** The least time of a request. A statement gets a quarter of it, and a wait for a lock a twentieth. */
    private static final Duration LEAST = Duration.ofMillis(200);

    private static final Duration MOST = Duration.ofMinutes(5);

    private final Duration timeout;
    private final ExecutorService threads;

    /** @param timeout The time of a request, from its head to its reply: 200 ms to 5 minutes. */
    @Inject
    public RequestBudget(
            @ConfigProperty(name = "countersign.request-timeout", defaultValue = "PT2S") Duration timeout,
            @VirtualThreads ExecutorService threads) {
        if (timeout.compareTo(LEAST) < 0 || timeout.compareTo(MOST) > 0) {
            throw new IllegalStateException("countersign.request-timeout must be between " + LEAST + " and " + MOST);
        }
        this.timeout = timeout;
        this.threads = threads;
    }

    /** How long a request may take. */
    public Duration timeout() {
        return timeout;
    }

    /** When the request's time is over, on the clock of {@link System#nanoTime}. */
    public long deadline() {
        return current().nanoTime();
    }

    /**
     * Bounds work that doesn't block. The future fails with {@link UnavailableException} if the request's time is over
     * first.
     */
    public <T> CompletableFuture<T> within(CompletableFuture<T> work) {
        if (work.isDone()) {
            return work;
        }
        current().whenOver(() -> work.completeExceptionally(RequestDeadline.over()));
        return work;
    }

    /**
     * Runs blocking work on a virtual thread. The thread is interrupted when the request's time is over, which also
     * ends a wait on a socket. Work is not begun when that time is already over.
     */
    public <T> CompletableFuture<T> spend(Supplier<T> work) {
        if (System.nanoTime() - deadline() >= 0) {
            return CompletableFuture.failedFuture(RequestDeadline.over());
        }
        CompletableFuture<T> outcome = new CompletableFuture<>();
        Future<?> running = threads.submit(() -> {
            try {
                outcome.complete(work.get());
            } catch (Throwable e) {
                outcome.completeExceptionally(e);
            }
        });
        return within(RequestVertxContext.resume(outcome)).whenComplete((_, _) -> running.cancel(true));
    }

    /** The deadline of the current request. Outside of a request, starts a new deadline. */
    private RequestDeadline current() {
        return RequestDeadline.current().orElseGet(() -> RequestDeadline.start(timeout, () -> {}));
    }
}
