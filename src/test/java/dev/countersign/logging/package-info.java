/**
 * Whether the log goes on, whatever a record does to the thread that writes it
 * ({@link dev.countersign.logging.LogQueueTest}). A log that nobody reads is among the faults
 * ({@link dev.countersign.fault.UnreadLogIT}).
 */
package dev.countersign.logging;
