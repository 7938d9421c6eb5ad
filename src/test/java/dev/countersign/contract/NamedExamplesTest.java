package dev.countersign.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.countersign.support.Contract;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The contract shows an error for each reason that a caller can tell, in the service's own words. */
class NamedExamplesTest {

    private static final String LIMIT_TYPE = "/components/schemas/LimitType/enum";

    private final JsonNode contract = new YAMLMapper().readTree(Contract.text());

    NamedExamplesTest() throws IOException {}

    @TestFactory
    Stream<DynamicTest> eachErrorTypeHasAnExample() {
        return errors().filter(error -> types(error.getValue()).size() > 1)
                .map(error -> DynamicTest.dynamicTest(
                        error.getKey(),
                        () -> assertThat(names(error.getValue())).containsAll(types(error.getValue()))));
    }

    @Test
    void eachLimitHasAnExample() {
        assertThat(names(contract.at("/components/responses/LimitExceeded"))).isEqualTo(texts(contract.at(LIMIT_TYPE)));
    }

    @Test
    void messagesAreThoseThatTheServiceSends() throws IOException {
        StringBuilder sources = new StringBuilder();
        try (Stream<Path> files = Files.walk(Path.of("src", "main"))) {
            for (Path file : files.filter(path -> path.toString().matches(".*\\.(java|properties)"))
                    .toList()) {
                // A long text stands in several literals.
                sources.append(Files.readString(file).replaceAll("\"\\s*\\+\\s*\"", ""));
            }
        }
        List<String> messages = errors().flatMap(error -> error.getValue().findValuesAsText("message").stream())
                .toList();
        assertThat(messages)
                .hasSizeGreaterThan(15)
                .allSatisfy(message -> assertThat(sources.toString())
                        .contains(message.replaceFirst("^(appId|sessionId) must ", "must ")));
    }

    private Stream<Map.Entry<String, JsonNode>> errors() {
        return contract.at("/components/responses").properties().stream()
                .filter(reply -> reply.getValue().has("content"));
    }

    private static List<String> types(JsonNode reply) {
        return texts(reply.at("/headers/x-amzn-ErrorType/schema/enum"));
    }

    private static List<String> names(JsonNode reply) {
        List<String> names = new ArrayList<>();
        reply.at("/content/application~1json/examples").fieldNames().forEachRemaining(names::add);
        return names;
    }

    private static List<String> texts(JsonNode array) {
        List<String> texts = new ArrayList<>();
        array.forEach(text -> texts.add(text.asText()));
        return texts;
    }
}
