/**
 * Rate limits, off until set.
 *
 * <p>{@link AppLimits} admits calls, and refuses a call that it can't count. The rates come from {@link LimitConfig},
 * or from the registry, whose rates are read in the background ({@link RegisteredRates}). Without a rate, no table is
 * asked. {@link Rates} turns a rate into a token bucket. {@link BucketTable} keeps the buckets in the database, by its
 * clock, so that all replicas share a limit. {@link FleetBuckets} asks the table in bulk: at high rates, most calls are
 * admitted or refused without a round trip. Apps that are not registered share a bucket; {@link KnownApps} tells which.
 *
 * <p>{@link RefusedAuthentications} counts requests without valid credentials in memory, by their
 * {@link SourceAddress}.
 */
@NullMarked
package dev.countersign.limit;

import org.jspecify.annotations.NullMarked;
