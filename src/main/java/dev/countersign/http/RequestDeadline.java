package dev.countersign.http;

import dev.countersign.error.UnavailableException;
import io.netty.util.concurrent.ScheduledFuture;
import io.smallrye.common.vertx.ContextLocals;
import io.smallrye.common.vertx.VertxContext;
import io.vertx.core.impl.ContextInternal;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** When a request's time is over, and what happens then. Belongs to the request's event loop. */
final class RequestDeadline {

    private static final String KEY = RequestDeadline.class.getName();

    private final long nanoTime;
    private final ScheduledFuture<?> alarm;
    private Runnable whenOver;

    /** An alarm on the request's own event loop needs no lock and wakes nobody. */
    private RequestDeadline(Duration time, Runnable whenOver) {
        this.nanoTime = System.nanoTime() + time.toNanos();
        this.whenOver = whenOver;
        this.alarm = ContextInternal.current()
                .nettyEventLoop()
                .schedule(() -> this.whenOver.run(), time.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** Begins the time of the request whose context the caller is in. */
    static RequestDeadline start(Duration time, Runnable whenOver) {
        RequestDeadline deadline = new RequestDeadline(time, whenOver);
        ContextLocals.put(KEY, deadline);
        return deadline;
    }

    /** That of the request whose context the caller is in; empty outside of one. */
    static Optional<RequestDeadline> current() {
        return VertxContext.isOnDuplicatedContext() ? ContextLocals.get(KEY) : Optional.empty();
    }

    /** On the clock of {@link System#nanoTime}. */
    long nanoTime() {
        return nanoTime;
    }

    /** What a caller is told whose request's time is over. */
    static UnavailableException over() {
        return new UnavailableException("The request's time is over");
    }

    /** From now on, this is what happens. */
    void whenOver(Runnable action) {
        whenOver = action;
    }

    void cancel() {
        alarm.cancel(false);
    }
}
