/**
 * What the tests stand on: a real PostgreSQL ({@link dev.countersign.support.PostgresServer}), the database of the
 * service under test ({@link dev.countersign.support.TestDatabase}), the filter that holds every reply against the
 * contract ({@link dev.countersign.support.Contract}), and the programs that drive the service as its users do ({@link
 * dev.countersign.support.Program}).
 */
package dev.countersign.support;
