/**
 * Faults that production brings, made on purpose: the database stopped, frozen, out of reach or read-only, while the
 * packaged service runs as a process of its own. Each test prints its figures.
 */
package dev.countersign.fault;
