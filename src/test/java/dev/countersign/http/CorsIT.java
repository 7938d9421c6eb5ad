package dev.countersign.http;

import io.quarkus.test.junit.QuarkusIntegrationTest;

/** The same, against the packaged service. */
@QuarkusIntegrationTest
class CorsIT extends CorsTest {}
