package dev.countersign.http;

import dev.countersign.error.UnavailableException;
import io.quarkus.virtual.threads.VirtualThreads;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.impl.ContextInternal;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** Bounds the time of an operation, so that nobody waits for a database that is frozen or gone. */
@Singleton
public class RequestBudget {

    private final Duration timeout;
    private final ExecutorService threads;

    @Inject
    public RequestBudget(
            @ConfigProperty(name = "countersign.request-timeout", defaultValue = "PT2S") Duration timeout,
            @VirtualThreads ExecutorService threads) {
        this.timeout = timeout;
        this.threads = threads;
    }

    /** How long a request may take. */
    public Duration timeout() {
        return timeout;
    }

    /** The outcome of work that waits for nothing by itself, or an {@link UnavailableException} when it is late. */
    public <T> CompletableFuture<T> within(CompletableFuture<T> work) {
        if (work.isDone()) {
            return work;
        }
        Future<?> alarm = clock().schedule(
                        () -> work.completeExceptionally(new UnavailableException("The request's time is over")),
                        timeout.toMillis(),
                        TimeUnit.MILLISECONDS);
        var _ = work.whenComplete((_, _) -> alarm.cancel(false));
        return work;
    }

    /**
     * Does work that blocks, on a thread of its own. When its time is over, the thread is interrupted; as it is a
     * virtual one, that ends a wait on a socket too.
     */
    public <T> CompletableFuture<T> spend(Supplier<T> work) {
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

    /** The request's own event loop: an alarm there needs no lock and wakes nobody. */
    private static ScheduledExecutorService clock() {
        Context caller = Vertx.currentContext();
        if (caller == null) {
            throw new IllegalStateException("An operation runs in the context of its request");
        }
        return ((ContextInternal) caller).nettyEventLoop();
    }
}
