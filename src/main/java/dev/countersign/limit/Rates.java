package dev.countersign.limit;

import java.time.Duration;

/**
 * Turns a rate per minute into a token bucket with continuous refill and a small burst.
 *
 * @param burst a full bucket holds the tokens that are due in this time
 */
record Rates(Duration burst) {

    private static final Duration MINUTE = Duration.ofMinutes(1);

    /** How many calls every limit admits at once, unless the limit itself is lower. */
    private static final int SMALL_BURST = 10;

    /** How many tokens a full bucket holds. It is never more than a minute's worth. */
    int capacity(int perMinute) {
        int due = (int) (perMinute * burst.toMillis() / MINUTE.toMillis());
        return Math.max(due, Math.min(perMinute, SMALL_BURST));
    }
}
