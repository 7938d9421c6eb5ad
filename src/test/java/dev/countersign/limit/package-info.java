/**
 * Whether the limits hold: as one caller meets them ({@link dev.countersign.limit.LimitTest}), for two processes together
 * ({@link dev.countersign.limit.FleetLimitIT}), bucket by bucket ({@link dev.countersign.limit.FleetBucketsTest}), and by
 * which address a caller is known ({@link dev.countersign.limit.SourceAddressTest}). {@link dev.countersign.limit.LimitIT}
 * has a service without limits, which must not notice them.
 */
package dev.countersign.limit;
