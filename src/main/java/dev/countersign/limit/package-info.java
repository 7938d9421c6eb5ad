/**
 * How much is too much.
 *
 * <p>{@link AppLimits} admits the calls of an app. How many a minute is in the registry ({@link RegisteredRates}) or in
 * {@link LimitConfig}; {@link Rates} makes a token bucket of it, refilled all the time; and {@link FleetBuckets} keeps
 * the buckets in the database, so that all replicas together hold the limit. They ask it in bulk: most calls are
 * admitted or refused without a round trip, at the price of a hundredth of the limit for each replica.
 *
 * <p>{@link RefusedAuthentications} does the same for those that nobody knows, by their {@link SourceAddress} and in
 * memory. What can't be counted is refused.
 */
@NullMarked
package dev.countersign.limit;

import org.jspecify.annotations.NullMarked;
