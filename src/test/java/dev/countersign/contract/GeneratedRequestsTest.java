package dev.countersign.contract;

import io.quarkus.test.junit.QuarkusTest;
import java.util.Set;

/** With an origin that is allowed, and with callers without credentials let in. */
@QuarkusTest
class GeneratedRequestsTest extends Fuzz {

    @Override
    int cases() {
        return 10_000;
    }

    @Override
    Set<Integer> anonymous() {
        return Set.of();
    }

    @Override
    String origin() {
        return Change.ALLOWED_ORIGIN;
    }
}
