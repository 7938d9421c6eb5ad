package dev.countersign.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.countersign.support.PostgresServer;
import dev.countersign.support.Program;
import dev.countersign.support.ServiceProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** The service with the environment of compose.yaml, but for where its database is, does what the release's smoke test asks of it. */
class ComposeIT {

    @Test
    void serviceCreatesAndRedeems() throws Exception {
        Program.orSkip("curl", "--version");
        try (PostgresServer database = PostgresServer.start();
                ServiceProcess service = ServiceProcess.startByEnvironment(environment(database))) {
            new Program(Path.of("deploy", "smoke").toAbsolutePath())
                    .run(
                            Map.of(),
                            service.baseUri().toString(),
                            service.managementUri().toString())
                    .output();
        }
    }

    @Test
    void imageIsTheOneOfTheManifests() throws IOException {
        assertThat(composed().at("/services/countersign/image").asText())
                .isEqualTo(System.getProperty("countersign.image"));
    }

    private static Map<String, String> environment(PostgresServer database) throws IOException {
        Map<String, String> environment = new TreeMap<>();
        composed()
                .at("/services/countersign/environment")
                .properties()
                .forEach(variable ->
                        environment.put(variable.getKey(), variable.getValue().asText()));
        environment.put("QUARKUS_DATASOURCE_JDBC_URL", database.jdbcUrl());
        environment.put("QUARKUS_DATASOURCE_USERNAME", "postgres");
        environment.put("QUARKUS_DATASOURCE_PASSWORD", "postgres");
        return environment;
    }

    private static JsonNode composed() throws IOException {
        return new ObjectMapper(new YAMLFactory())
                .readTree(Variant.DEPLOY.resolve("compose.yaml").toFile());
    }
}
