package dev.countersign.http;

import dev.countersign.error.UnavailableException;
import io.netty.util.concurrent.ScheduledFuture;
import io.smallrye.common.vertx.ContextLocals;
import io.smallrye.common.vertx.VertxContext;
import io.vertx.core.impl.ContextInternal;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** The time at which a request must end, and what happens then. Only the request's event loop may use it. */
final class RequestDeadline {

    private static final String KEY = RequestDeadline.class.getName();

    private final long nanoTime;
    private final ScheduledFuture<?> alarm;
    private Runnable whenOver;

    /** Sets the alarm on the request's own event loop, which needs no lock and wakes no other thread. */
    private RequestDeadline(Duration time, Runnable whenOver) {
        this.nanoTime = System.nanoTime() + time.toNanos();
        this.whenOver = whenOver;
        this.alarm = ContextInternal.current()
                .nettyEventLoop()
                .schedule(() -> this.whenOver.run(), time.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** Starts the time of the request in whose context the caller runs. */
    static RequestDeadline start(Duration time, Runnable whenOver) {
        RequestDeadline deadline = new RequestDeadline(time, whenOver);
        ContextLocals.put(KEY, deadline);
        return deadline;
    }

    /** The deadline of the request in whose context the caller runs; empty outside of one. */
    static Optional<RequestDeadline> current() {
        return VertxContext.isOnDuplicatedContext() ? ContextLocals.get(KEY) : Optional.empty();
    }

    /** The deadline on the clock of {@link System#nanoTime}. */
    long nanoTime() {
        return nanoTime;
    }

    /** Returns the failure of a request whose time is over. */
    static UnavailableException over() {
        return new UnavailableException("The request's time is over");
    }

    /** Replaces what happens when the time is over. */
    void whenOver(Runnable action) {
        whenOver = action;
    }

    void cancel() {
        alarm.cancel(false);
    }
}
