/**
 * Whether the limits hold: as one caller meets them ({@link dev.countersign.limit.LimitTest}), for two processes together
 * ({@link dev.countersign.limit.FleetLimitIT}), and by which address a caller is known ({@link
 * dev.countersign.limit.SourceAddressTest}).
 */
package dev.countersign.limit;
