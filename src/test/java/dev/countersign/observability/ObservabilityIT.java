package dev.countersign.observability;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import dev.countersign.api.model.LimitType;
import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceProcess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What an operator sees of a running service: metrics, traces once they are asked for, and log lines. */
class ObservabilityIT {

    private static final Path DIRECTORY = Path.of("src", "main", "kubernetes", "observability");
    private static final Pattern METRIC = Pattern.compile("\\b(?:countersign|http_server|agroal)_\\w+");

    private static final Collection<String> TRACES = new ConcurrentLinkedQueue<>();
    private static final List<String> CODES = new ArrayList<>();
    private static final List<JsonNode> LOG = new ArrayList<>();
    private static HttpServer collector;
    private static PostgresServer database;
    private static String metrics;

    @BeforeAll
    static void useTheService() throws Exception {
        collector = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        collector.createContext("/v1/traces", exchange -> {
            TRACES.add(new String(exchange.getRequestBody().readAllBytes(), ISO_8859_1));
            exchange.sendResponseHeaders(200, -1);
            exchange.close();
        });
        collector.start();
        database = PostgresServer.start();
        Path log;
        try (ServiceProcess service = ServiceProcess.start(
                        database,
                        Map.of(
                                "countersign.purge.every", "1s",
                                "quarkus.otel.sdk.disabled", "false",
                                "quarkus.otel.exporter.otlp.endpoint",
                                        "http://localhost:"
                                                + collector.getAddress().getPort(),
                                "quarkus.otel.exporter.otlp.protocol", "http/protobuf",
                                "quarkus.otel.exporter.otlp.compression", "none",
                                "quarkus.otel.bsp.schedule.delay", "PT0.2S"));
                ServiceClient client = new ServiceClient(service.baseUri())) {
            database.execute("INSERT INTO app (app_id) VALUES ('demo')");
            log = service.log();
            Token redeemed = create(client);
            client.redeem("demo", redeemed.session(), redeemed.code());
            Token removed = create(client);
            client.remove("demo", removed.session());
            Token locked = create(client);
            for (int attempt = 0; attempt < 5; attempt++) {
                client.redeem("demo", locked.session(), "wrong");
            }
            create(client);
            // Before that, the purge would take an expired row away.
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> database.ask("SELECT count(*) FROM challenge_session_partition") > 0);
            Token expired = create(client);
            database.execute("""
                    UPDATE challenge_session
                       SET created_at = now() - interval '2 seconds', expires_at = now() - interval '1 second'
                     WHERE session_id = '%s'
                    """.formatted(expired.session()));
            client.read("demo", expired.session());
            client.redeem("demo", expired.session(), expired.code());
            await().atMost(Duration.ofSeconds(15)).until(() -> TRACES.stream().anyMatch(t -> t.contains("redeem")));
            // What is measured each second, and may have been so before the last change.
            await().atMost(Duration.ofSeconds(15)).untilAsserted(() -> {
                metrics = service.metrics();
                assertThat(samples("countersign_tokens_live"))
                        .containsExactly("countersign_tokens_live{key=\"test\"} 1.0");
                assertThat(samples("countersign_purge_lag_seconds"))
                        .containsExactly("countersign_purge_lag_seconds 0.0");
            });
        }
        for (String line : Files.readAllLines(log)) {
            if (line.startsWith("{")) {
                LOG.add(new ObjectMapper().readTree(line));
            }
        }
    }

    @AfterAll
    static void stop() {
        database.close();
        collector.stop(0);
    }

    @Test
    void tokensAreCountedByWhatBecameOfThem() {
        assertThat(samples("countersign_tokens"))
                .contains(
                        "countersign_tokens_total{outcome=\"issued\"} 5.0",
                        "countersign_tokens_total{outcome=\"redeemed\"} 1.0",
                        "countersign_tokens_total{outcome=\"removed\"} 1.0",
                        "countersign_tokens_total{outcome=\"locked\"} 1.0",
                        "countersign_tokens_total{outcome=\"refused\"} 7.0",
                        "countersign_tokens_total{outcome=\"expired\"} 2.0");
    }

    @Test
    void requestsAreCountedByOperationAndNotByAppOrSession() {
        assertThat(metrics)
                .contains("uri=\"/prod/backend/{appId}/challenge/{sessionId}/redeem\"")
                .doesNotContain("demo");
        assertThat(samples("http_server_requests_seconds_count"))
                .anyMatch(line -> line.contains("method=\"POST\"")
                        && line.contains("uri=\"/prod/backend/{appId}/challenge\"")
                        && line.contains("outcome=\"SUCCESS\"")
                        && line.contains("status=\"200\"")
                        && line.endsWith(" 5.0"))
                .anyMatch(line -> line.contains("/{sessionId}/redeem\"")
                        && line.contains("outcome=\"CLIENT_ERROR\"")
                        && line.contains("status=\"404\"")
                        && line.endsWith(" 6.0"));
    }

    @Test
    void requestsOfTheApiAreCountedByTheirTimeAndNoOthers() {
        List<String> buckets = samples("http_server_requests_seconds_bucket");
        assertThat(buckets).isNotEmpty().allMatch(line -> line.contains("uri=\"/prod/"));
        assertThat(buckets.stream()
                        .map(line -> line.replaceFirst(".*[,{]le=\"([^\"]+)\".*", "$1"))
                        .collect(Collectors.toSet()))
                .containsExactlyInAnyOrder("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "2.0", "+Inf");
    }

    @Test
    void purgePoolAndLimiterAreShown() {
        assertThat(samples("countersign_purge_rows_total")).hasSize(1);
        assertThat(samples("countersign_purge_partitions_total")).hasSize(1);
        assertThat(samples("agroal_active_count")).hasSize(1);
        assertThat(samples("agroal_awaiting_count")).hasSize(1);
        assertThat(samples("countersign_limit_failures_total")).containsExactly("countersign_limit_failures_total 0.0");
        for (LimitType limit : LimitType.values()) {
            assertThat(samples("countersign_limit_refusals_total"))
                    .contains("countersign_limit_refusals_total{limit=\"" + limit + "\"} 0.0");
        }
    }

    @Test
    void everyMetricOfAnAlertOrADashboardExists() throws IOException {
        Set<String> used = new TreeSet<>();
        for (String file : List.of("alerts.yml", "dashboard.json")) {
            String text = Files.readString(DIRECTORY.resolve(file));
            used.addAll(METRIC.matcher(text).results().map(r -> r.group()).toList());
        }
        Set<String> exist = metrics.lines()
                .map(METRIC::matcher)
                .filter(Matcher::lookingAt)
                .map(Matcher::group)
                .collect(Collectors.toSet());
        assertThat(used).hasSizeGreaterThan(5);
        assertThat(exist).containsAll(used);
    }

    @Test
    void tracesGoToTheEndpointWithoutACode() {
        assertThat(TRACES).anyMatch(trace -> trace.contains("/prod/backend/{appId}/challenge/{sessionId}/redeem"));
        assertThat(CODES).hasSize(5).allSatisfy(code -> assertThat(TRACES).noneMatch(trace -> trace.contains(code)));
    }

    @Test
    void logLinesAreJsonAndThoseOfARequestCarryItsId() {
        List<JsonNode> audit = LOG.stream()
                .filter(line -> line.path("loggerName").asText().equals("countersign.audit"))
                .toList();
        assertThat(audit).hasSizeGreaterThan(5).allSatisfy(line -> {
            JsonNode context = line.path("mdc");
            assertThat(context.path("requestId").asText()).hasSize(36);
            assertThat(context.path("event").asText()).isNotEmpty();
            assertThat(context.path("outcome").asText()).isNotEmpty();
        });
        // Once for each member that docs/operations.md names.
        assertThat(audit.stream().flatMap(line -> names(line.path("mdc"))).collect(Collectors.toSet()))
                .contains("event", "outcome", "reason", "principal", "app", "session", "requestId");
    }

    private static Stream<String> names(JsonNode object) {
        List<String> names = new ArrayList<>();
        object.fieldNames().forEachRemaining(names::add);
        return names.stream();
    }

    /** Without the trace that a line may name as its example. */
    private static List<String> samples(String metric) {
        return metrics.lines()
                .filter(line -> line.startsWith(metric))
                .map(line -> line.replaceFirst(" # .*", ""))
                .toList();
    }

    private static Token create(ServiceClient client) {
        Token token = Token.of(client.create("demo"));
        CODES.add(token.code());
        return token;
    }
}
