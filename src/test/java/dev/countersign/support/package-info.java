/**
 * What the tests stand on: a real PostgreSQL ({@link dev.countersign.support.PostgresServer}), the database of the
 * service under test ({@link dev.countersign.support.TestDatabase}), and the filter that holds every reply against the
 * contract ({@link dev.countersign.support.Contract}).
 */
package dev.countersign.support;
