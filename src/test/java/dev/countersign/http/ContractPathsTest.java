package dev.countersign.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** What filters and metrics know of the API's paths comes from the contract, and from nowhere else. */
class ContractPathsTest {

    @Test
    void pathOfANewTagIsKnownWithoutAWordInTheCode() throws IOException {
        ObjectNode document =
                (ObjectNode) new YAMLMapper().readTree(Path.of("openapi.yaml").toFile());
        Contract before = new Contract(document);
        ObjectNode added = (ObjectNode) new ObjectMapper().readTree("""
                {
                  "parameters": [{"$ref": "#/components/parameters/appId"}],
                  "get": {"tags": ["New"], "operationId": "GetNew"},
                  "put": {"tags": ["New"], "operationId": "PutNew", "requestBody": {}}
                }
                """);
        ((ObjectNode) document.get("paths")).set("/prod/new/{appId}", added);
        Contract after = new Contract(document);

        assertThat(before.methods("/prod/new/demo")).isEmpty();
        assertThat(after.methods("/prod/new/demo")).containsExactly("GET", "HEAD", "PUT");
        assertThat(after.isTemplate("/prod/new/{appId}")).isTrue();
        assertThat(after.takesBody("PUT", "/prod//new/demo/")).isTrue();
        assertThat(after.takesBody("GET", "/prod/new/demo")).isFalse();
        assertThat(after.methods("/prod/apps/demo")).isEqualTo(before.methods("/prod/apps/demo"));
    }
}
