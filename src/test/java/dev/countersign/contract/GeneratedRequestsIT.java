package dev.countersign.contract;

import io.quarkus.test.junit.QuarkusIntegrationTest;
import java.util.Set;

/** Fewer of them, against the packaged service. */
@QuarkusIntegrationTest
class GeneratedRequestsIT extends GeneratedRequestsTest {

    @Override
    int cases() {
        return 1_000;
    }

    @Override
    Set<Integer> anonymous() {
        return Set.of(403);
    }
}
