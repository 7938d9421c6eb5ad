package dev.countersign.challenge;

import io.quarkus.test.junit.QuarkusIntegrationTest;

/** The same, against the packaged service. */
@QuarkusIntegrationTest
class RedeemIT extends RedeemTest {}
