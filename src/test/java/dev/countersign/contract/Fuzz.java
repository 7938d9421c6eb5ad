package dev.countersign.contract;

import dev.countersign.support.Contract;
import dev.countersign.support.ServiceTest;
import dev.countersign.support.TestDatabase;
import java.util.Set;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * The service by requests that are made of {@code openapi.yaml}. {@code -Dcontract.seed=…} repeats a run, {@code
 * -Dcontract.cases=…} makes it longer.
 */
abstract class Fuzz extends ServiceTest {

    private static final Logger LOG = Logger.getLogger(Fuzz.class);

    /** How many requests are made. */
    abstract int cases();

    /** What a caller without credentials is refused with; none if it is let in. */
    abstract Set<Integer> anonymous();

    /** The origin whose pages may call the service. */
    abstract String origin();

    @AfterEach
    void deleteApps() {
        TestDatabase.execute("DELETE FROM app WHERE app_id NOT IN ('demo', 'other')");
    }

    @Test
    void everyReplyIsInTheContract() throws Exception {
        long seed = Long.getLong("contract.seed", System.nanoTime());
        int count = Integer.getInteger("contract.cases", cases());
        LOG.infof("contract: -Dcontract.seed=%d -Dcontract.cases=%d", seed, count);
        new GeneratedRequests(Contract.text(), anonymous(), origin()).send(seed, count);
    }
}
