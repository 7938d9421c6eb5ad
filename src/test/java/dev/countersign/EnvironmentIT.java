package dev.countersign;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceProcess;
import dev.countersign.support.SignedRequest;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The packaged service with its settings in the environment alone, among what Kubernetes adds to it. */
class EnvironmentIT {

    private static final String SECRET = "a-secret-with-$$-and-${user.home}-and-\\$-in-it";

    private static PostgresServer database;
    private static ServiceProcess service;

    @BeforeAll
    static void start() {
        database = PostgresServer.start();
        service = ServiceProcess.startByEnvironment(Map.ofEntries(
                Map.entry("QUARKUS_DATASOURCE_JDBC_URL", database.jdbcUrl()),
                Map.entry("QUARKUS_DATASOURCE_USERNAME", "postgres"),
                Map.entry("QUARKUS_DATASOURCE_PASSWORD", "postgres"),
                Map.entry("COUNTERSIGN_REQUEST_TIMEOUT", "PT30S"),
                Map.entry("COUNTERSIGN_CHALLENGE_KEYS_2026_01", ServiceProcess.KEY),
                Map.entry("COUNTERSIGN_CHALLENGE_ACTIVE_KEY", "2026-01"),
                Map.entry("COUNTERSIGN_PRINCIPALS_CI_RUNNER_ACCESS_KEY_ID", "AKIACIRUNNER00000001"),
                Map.entry("COUNTERSIGN_PRINCIPALS_CI_RUNNER_SECRET_ACCESS_KEY", SECRET),
                Map.entry("COUNTERSIGN_PRINCIPALS_CI_RUNNER_APPS", "*"),
                Map.entry("COUNTERSIGN_PRINCIPALS_CI_RUNNER_PERMISSIONS", "issue,redeem,admin"),
                Map.entry("COUNTERSIGN_APPS_DEMO_DISPLAY_NAME", "The demo app"),
                Map.entry("COUNTERSIGN_API_DOCS_ENABLED", "false"),
                Map.entry("COUNTERSIGN_SERVICE_HOST", "10.0.0.1"),
                Map.entry("COUNTERSIGN_SERVICE_PORT_HTTP", "80"),
                Map.entry("COUNTERSIGN_PORT", "tcp://10.0.0.1:80"),
                Map.entry("COUNTERSIGN_PORT_80_TCP_ADDR", "10.0.0.1")));
    }

    @AfterAll
    static void stop() {
        service.close();
        database.close();
    }

    @Test
    void principalWhoseNameAndSecretHaveOddCharactersCreatesAToken() {
        String authority = service.baseUri().getAuthority();
        try (ServiceClient client = new ServiceClient(
                service.baseUri(),
                (method, path, body) -> SignedRequest.to(
                                authority, method, path, body, "AKIACIRUNNER00000001", SECRET, Duration.ZERO)
                        .headers())) {
            assertThat(client.create("demo").status()).isEqualTo(200);
        }
    }

    @Test
    void interactiveDocumentationIsOff() throws IOException, InterruptedException {
        for (String path : new String[] {"/q/swagger-ui", "/q/swagger-ui/", "/q/swagger-ui/index.html", "/q/openapi"}) {
            HttpResponse<String> reply = get(service.baseUri().resolve(path));
            assertThat(reply.statusCode()).as(path).isEqualTo(404);
            assertThat(reply.body()).as(path).contains("No such path");
        }
    }

    private static HttpResponse<String> get(URI uri) throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofString());
        }
    }
}
