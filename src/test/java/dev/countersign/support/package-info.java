/**
 * What the tests stand on: a real PostgreSQL ({@link dev.countersign.support.PostgresServer}), the database of the
 * service under test ({@link dev.countersign.support.TestDatabase}), who may call it ({@link
 * dev.countersign.support.Callers}), and the filter that holds every reply against the contract ({@link
 * dev.countersign.support.Contract}). The packaged service as a process that may be killed is {@link
 * dev.countersign.support.ServiceProcess}; {@link dev.countersign.support.ServiceClient} is a client of which many can
 * race, {@link dev.countersign.support.Program} a program that drives the service as its users do.
 */
package dev.countersign.support;
