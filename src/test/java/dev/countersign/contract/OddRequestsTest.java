package dev.countersign.contract;

import io.quarkus.test.junit.QuarkusTest;

@QuarkusTest
class OddRequestsTest extends OddRequests {}
