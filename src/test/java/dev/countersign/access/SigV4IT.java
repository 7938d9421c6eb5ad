package dev.countersign.access;

import io.quarkus.test.junit.QuarkusIntegrationTest;

/** The same, against the packaged service. */
@QuarkusIntegrationTest
class SigV4IT extends SigV4Test {}
