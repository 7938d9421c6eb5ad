package dev.countersign.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.countersign.support.Contract;
import dev.countersign.support.ServiceTest;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.RestAssured;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** What is served is the contract's file, whatever the framework would make of it. */
@QuarkusTest
class ServedContractTest extends ServiceTest {

    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());

    @Test
    void servedDocumentIsTheFile() throws IOException {
        JsonNode file = YAML.readTree(Contract.text());
        assertThat(YAML.readTree(RestAssured.get("/q/openapi").asString())).isEqualTo(file);
        assertThat(new ObjectMapper()
                        .readTree(RestAssured.get("/q/openapi?format=json").asString()))
                .isEqualTo(file);
    }

    @Test
    void swaggerUiShowsIt() {
        assertThat(RestAssured.get("/q/swagger-ui/").asString()).contains("../openapi");
    }
}
