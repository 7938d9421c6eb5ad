package dev.countersign.error;

import dev.countersign.api.model.LimitType;
import java.time.Duration;

/** A rate limit is used up. The operation has not begun. */
public class TooManyRequestsException extends RuntimeException {

    private final LimitType limitType;
    private final Duration retryAfter;

    /** @param retryAfter when a call will be admitted, if no other call takes its place */
    public TooManyRequestsException(String message, LimitType limitType, Duration retryAfter) {
        super(message);
        this.limitType = limitType;
        this.retryAfter = retryAfter;
    }

    public LimitType limitType() {
        return limitType;
    }

    /** The whole seconds to wait, rounded up: a client that waits less would be refused again. At least 1. */
    public long retryAfterSeconds() {
        return Math.max(1, retryAfter.plusNanos(999_999_999).toSeconds());
    }
}
