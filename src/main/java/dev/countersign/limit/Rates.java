package dev.countersign.limit;

import io.github.bucket4j.BucketConfiguration;
import java.time.Duration;

/**
 * Makes of "so many a minute" a bucket that is refilled all the time, and holds only a little more than is due.
 *
 * @param burst a full bucket is what comes in this time
 */
record Rates(Duration burst) {

    private static final Duration MINUTE = Duration.ofMinutes(1);

    BucketConfiguration bucket(int perMinute) {
        return BucketConfiguration.builder()
                .addLimit(limit -> limit.capacity(capacity(perMinute)).refillGreedy(perMinute, MINUTE))
                .build();
    }

    /** How much is in such a bucket when it is full. */
    long capacity(int perMinute) {
        return Math.max(1, perMinute * burst.toMillis() / MINUTE.toMillis());
    }
}
