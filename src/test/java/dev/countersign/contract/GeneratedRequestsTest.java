package dev.countersign.contract;

import dev.countersign.support.Contract;
import dev.countersign.support.ServiceTest;
import dev.countersign.support.TestDatabase;
import io.quarkus.test.junit.QuarkusTest;
import java.util.Set;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The service by requests that are made of {@code openapi.yaml}. {@code -Dcontract.seed=…} repeats a run, {@code
 * -Dcontract.cases=…} makes it longer.
 */
@Tag("slow")
@QuarkusTest
class GeneratedRequestsTest extends ServiceTest {

    private static final Logger LOG = Logger.getLogger(GeneratedRequestsTest.class);

    /** How many requests are made. */
    int cases() {
        return 10_000;
    }

    /** What a caller without credentials gets: in dev and test it is let in. */
    Set<Integer> anonymous() {
        return Set.of();
    }

    @AfterEach
    void deleteApps() {
        TestDatabase.execute("DELETE FROM app WHERE app_id NOT IN ('demo', 'other')");
    }

    @Test
    void everyReplyIsInTheContract() throws Exception {
        long seed = Long.getLong("contract.seed", System.nanoTime());
        int count = Integer.getInteger("contract.cases", cases());
        LOG.infof("contract: -Dcontract.seed=%d -Dcontract.cases=%d", seed, count);
        new GeneratedRequests(Contract.text(), anonymous()).send(seed, count);
    }
}
