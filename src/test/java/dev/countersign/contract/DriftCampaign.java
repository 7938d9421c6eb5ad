package dev.countersign.contract;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.Contract;
import dev.countersign.support.ServiceTest;
import io.quarkus.test.junit.QuarkusTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Holds the service against contracts that are not its own, each of which the generated requests should find wrong. No
 * part of a build: {@code .ci/drift} writes the contracts, and reads beside each what was found.
 */
@QuarkusTest
class DriftCampaign extends ServiceTest {

    private static final int CASES = 700;

    @Test
    void foundFaultsOfEachContract() throws Exception {
        assertThat(fault(Contract.text())).as("of the service's own contract").isEmpty();
        for (Path contract : contracts()) {
            Files.writeString(Path.of(contract + ".fault"), fault(Files.readString(contract)));
        }
    }

    private static List<Path> contracts() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("drift.contracts")))) {
            return files.filter(file -> file.toString().endsWith(".yaml"))
                    .sorted()
                    .toList();
        }
    }

    /** Empty when there is none. */
    private static String fault(String contract) throws Exception {
        try {
            new GeneratedRequests(contract, Set.of(), Change.ALLOWED_ORIGIN).send(1, CASES);
            return "";
        } catch (AssertionError | RuntimeException e) {
            return e.toString();
        }
    }
}
