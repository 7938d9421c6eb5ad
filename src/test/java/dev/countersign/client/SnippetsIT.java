package dev.countersign.client;

import io.quarkus.test.junit.QuarkusIntegrationTest;

/** The same, against the packaged service. */
@QuarkusIntegrationTest
class SnippetsIT extends SnippetsTest {}
