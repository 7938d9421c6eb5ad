/**
 * Rate limits, off until set.
 *
 * <p>{@link AppLimits} admits calls. How many a minute is in {@link LimitConfig}, or in the registry, whose rates are read
 * in the background ({@link RegisteredRates}); where neither says anything, no table is asked. {@link Rates} turns it into
 * a token bucket, {@link BucketTable} keeps the buckets in the database, by its clock, so that all replicas together hold
 * the limit, and {@link FleetBuckets} asks it in bulk: at high rates, most calls are admitted or refused without a
 * round trip.
 *
 * <p>{@link RefusedAuthentications} counts requests without valid credentials, by their {@link SourceAddress} and in
 * memory. What can't be counted is refused.
 */
@NullMarked
package dev.countersign.limit;

import org.jspecify.annotations.NullMarked;
