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

/** Bounds the time of an operation, so that nobody waits for a database that is frozen or gone. */
@Singleton
public class RequestBudget {

    /** A statement gets a quarter of it, and a wait for a lock a twentieth. */
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

    /** The outcome of work that waits for nothing by itself, or an {@link UnavailableException} when it is late. */
    public <T> CompletableFuture<T> within(CompletableFuture<T> work) {
        if (work.isDone()) {
            return work;
        }
        current().whenOver(() -> work.completeExceptionally(RequestDeadline.over()));
        return work;
    }

    /**
     * Does work that blocks, on a thread of its own. When the request's time is over, the thread is interrupted; as it is
     * a virtual one, that ends a wait on a socket too. Work whose time was over before is not begun.
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
        return within(CallerContext.resume(outcome)).whenComplete((_, _) -> running.cancel(true));
    }

    /** What calls an operation without a request begins its time with it. */
    private RequestDeadline current() {
        return RequestDeadline.current().orElseGet(() -> RequestDeadline.start(timeout, () -> {}));
    }
}
