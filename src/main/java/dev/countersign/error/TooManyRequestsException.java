package dev.countersign.error;

import dev.countersign.api.model.LimitType;
import java.time.Duration;

/** A limit is used up. It was found so before anything was done. */
public class TooManyRequestsException extends RuntimeException {

    private final LimitType limitType;
    private final Duration retryAfter;

    /** @param retryAfter after how long a call will be admitted, if nobody else takes its place */
    public TooManyRequestsException(String message, LimitType limitType, Duration retryAfter) {
        super(message);
        this.limitType = limitType;
        this.retryAfter = retryAfter;
    }

    public LimitType limitType() {
        return limitType;
    }

    /** Rounded up, for a client that waits less would be refused again. */
    public long retryAfterSeconds() {
        return Math.max(1, retryAfter.plusNanos(999_999_999).toSeconds());
    }
}
