package dev.countersign.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.support.Contract;
import dev.countersign.support.NodePackages;
import dev.countersign.support.Program.Run;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The contract by the rules of {@code redocly.yaml}. */
class ContractLintTest {

    @Test
    void linterFindsNothingToSay() throws IOException {
        Run lint = NodePackages.orSkip()
                .run(
                        Map.of("REDOCLY_TELEMETRY", "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE", "true"),
                        "@redocly/cli/bin/cli.js",
                        "lint",
                        Contract.FILE.toString(),
                        "--format=json",
                        "--lint-config=error");
        JsonNode report = new ObjectMapper().readTree(lint.out());
        assertThat(report.path("problems"))
                .extracting(problem -> problem.path("severity").asText() + " "
                        + problem.at("/location/0/pointer").asText() + ": "
                        + problem.path("message").asText())
                .isEmpty();
        // It ends otherwise on a mistake in its configuration, too.
        assertThat(lint.exit()).as(lint.err()).isZero();
    }
}
