package dev.countersign.app;

import io.quarkus.test.junit.QuarkusIntegrationTest;

/** The same, against the packaged service. */
@QuarkusIntegrationTest
class AppIT extends AppTest {}
