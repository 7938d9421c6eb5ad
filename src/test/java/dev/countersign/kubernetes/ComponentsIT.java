package dev.countersign.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What the components add fits what they are added to. */
class ComponentsIT {

    private static final Path OBSERVABILITY = Path.of("src", "main", "kubernetes", "observability");
    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
    private static final Variant FULL = Variant.example("full");

    static Stream<Variant> monitored() {
        return Stream.of(FULL, Variant.component("prometheus-operator"), Variant.CHART_WITH_ALL_PARTS);
    }

    static Stream<Variant> exposed() {
        return Stream.of(FULL, Variant.component("gateway-api"), Variant.CHART_WITH_ALL_PARTS);
    }

    static Stream<Variant> withDatabase() {
        return Stream.of(FULL, Variant.component("cloudnativepg"));
    }

    @ParameterizedTest
    @MethodSource("monitored")
    void podMonitorScrapesTheReplicasUnderTheNameThatAlertsExpect(Variant variant) throws IOException {
        JsonNode monitor = variant.byName().get("PodMonitor countersign").path("spec");
        JsonNode pod = variant.byName().get("Deployment countersign").at("/spec/template");
        JsonNode labels = pod.at("/metadata/labels");
        monitor.at("/selector/matchLabels")
                .properties()
                .forEach(label -> assertThat(labels.path(label.getKey())).isEqualTo(label.getValue()));
        JsonNode endpoint = monitor.at("/podMetricsEndpoints/0");
        assertThat(endpoint.path("path").asText()).isEqualTo("/q/metrics");
        assertThat(pod.at("/spec/containers/0/ports"))
                .anyMatch(port -> port.path("name").equals(endpoint.path("port"))
                        && port.path("containerPort").asInt() == 9000);

        String job = labels.path(monitor.path("jobLabel").asText()).asText();
        String rules = Files.readString(OBSERVABILITY.resolve("alerts.yml"));
        String dashboard = Files.readString(OBSERVABILITY.resolve("dashboard.json"));
        assertThat(Pattern.compile("job=\\\\?\"([^\"\\\\]*)")
                        .matcher(rules + dashboard)
                        .results())
                .isNotEmpty()
                .allMatch(found -> found.group(1).equals(job));
    }

    @ParameterizedTest
    @MethodSource("monitored")
    void rulesAndDashboardAreThoseThatAreTested(Variant variant) throws IOException {
        assertThat(variant.byName().get("PrometheusRule countersign").path("spec"))
                .isEqualTo(YAML.readTree(OBSERVABILITY.resolve("alerts.yml").toFile()));
        JsonNode dashboard = variant.byName().get("ConfigMap countersign-dashboard");
        assertThat(new ObjectMapper()
                        .readTree(dashboard.at("/data/countersign.json").asText()))
                .isEqualTo(new ObjectMapper()
                        .readTree(OBSERVABILITY.resolve("dashboard.json").toFile()));
        assertThat(dashboard.at("/metadata/labels/grafana_dashboard").asText()).isEqualTo("1");
    }

    @ParameterizedTest
    @MethodSource("exposed")
    void routeExposesTheOperationsAloneUnderTheUrlThatClientsSign(Variant variant) {
        JsonNode route = variant.byName().get("HTTPRoute countersign").path("spec");
        assertThat(route.path("rules")).hasSize(1);
        JsonNode rule = route.at("/rules/0");
        assertThat(rule.path("matches")).hasSize(1);
        assertThat(rule.at("/matches/0/path/type").asText()).isEqualTo("PathPrefix");
        assertThat(rule.at("/matches/0/path/value").asText()).isEqualTo("/prod");
        assertThat(rule.path("filters")).isEmpty();
        JsonNode service = variant.byName().get("Service countersign");
        assertThat(rule.at("/backendRefs/0/name")).isEqualTo(service.at("/metadata/name"));
        assertThat(rule.at("/backendRefs/0/port")).isEqualTo(service.at("/spec/ports/0/port"));
        assertThat(route.at("/parentRefs/0/name").asText()).isEqualTo("public");
        assertThat(route.at("/parentRefs/0/namespace").asText()).isEqualTo("gateways");

        JsonNode settings = variant.byName().get("ConfigMap countersign").path("data");
        assertThat(route.path("hostnames")).hasSize(1);
        assertThat(settings.path("COUNTERSIGN_SIGV4_EXTERNAL_URL").asText())
                .isEqualTo("https://" + route.at("/hostnames/0").asText())
                .isEqualTo("https://auth.example.com");
        assertThat(settings.path("COUNTERSIGN_LIMIT_TRUSTED_PROXIES").asText()).isEqualTo("10.0.0.0/8");
        assertThat(variant.byName()).doesNotContainKey("ConfigMap countersign-gateway");
    }

    @ParameterizedTest
    @MethodSource("withDatabase")
    void clusterIsTheOneThatTheServiceConnectsTo(Variant variant) {
        JsonNode cluster =
                variant.byName().get("Cluster countersign-postgresql").path("spec");
        JsonNode settings = variant.byName().get("ConfigMap countersign").path("data");
        URI url =
                URI.create(settings.path("QUARKUS_DATASOURCE_JDBC_URL").asText().substring("jdbc:".length()));
        assertThat(url.getHost()).isEqualTo("countersign-postgresql-rw");
        assertThat(url.getPath())
                .isEqualTo("/" + cluster.at("/bootstrap/initdb/database").asText());
        assertThat(url.getQuery()).contains("sslmode=verify-full");
        for (String pod : List.of("Deployment countersign", "Job countersign-migration")) {
            JsonNode spec = variant.byName().get(pod).at("/spec/template/spec");
            assertThat(spec.path("volumes"))
                    .anyMatch(volume -> volume.at("/secret/secretName").asText().equals("countersign-postgresql-ca"));
            assertThat(spec.at("/containers/0/volumeMounts"))
                    .anyMatch(mount -> url.getQuery()
                            .endsWith("sslrootcert=" + mount.path("mountPath").asText() + "/ca.crt"));
        }
        assertThat(secretsOf(variant, "Job countersign-migration"))
                .contains("countersign-postgresql-app")
                .doesNotContain("countersign-migration", "countersign-secrets");
        assertThat(secretsOf(variant, "Deployment countersign"))
                .contains("countersign-postgresql-service")
                .doesNotContain("countersign-postgresql-app");
    }

    @ParameterizedTest
    @MethodSource("withDatabase")
    void clusterHasBothRolesAndLosesNoRedeem(Variant variant) {
        JsonNode cluster =
                variant.byName().get("Cluster countersign-postgresql").path("spec");
        assertThat(cluster.at("/bootstrap/initdb/owner").asText()).isEqualTo("countersign_owner");
        JsonNode role = cluster.at("/managed/roles/0");
        assertThat(role.path("login").asBoolean()).isTrue();
        assertThat(role.path("superuser").asBoolean()).isFalse();
        assertThat(role.at("/passwordSecret/name").asText()).isEqualTo("countersign-postgresql-service");
        // There before the operator, which makes managed roles later than the database can be reached.
        assertThat(cluster.at("/bootstrap/initdb/postInitSQL/0").asText())
                .startsWith("CREATE ROLE " + role.path("name").asText() + " ");
        assertThat(cluster.path("instances").asInt()).isGreaterThanOrEqualTo(3);
        assertThat(cluster.at("/postgresql/synchronous/dataDurability").asText())
                .isEqualTo("required");
        int replicas = variant.byName()
                .get("HorizontalPodAutoscaler countersign")
                .at("/spec/maxReplicas")
                .asInt();
        assertThat(cluster.at("/postgresql/parameters/max_connections").asInt()).isGreaterThan((replicas + 1) * 16);
    }

    /** With all components nobody makes a Secret by hand. */
    @Test
    void everySecretComesFromTheStoreOrTheOperator() {
        Set<String> made = new HashSet<>(Set.of("countersign-postgresql-app", "countersign-postgresql-ca"));
        FULL.byName().forEach((name, resource) -> {
            if (name.startsWith("ExternalSecret ")) {
                assertThat(resource.at("/spec/secretStoreRef/name").asText()).isEqualTo("countersign");
                made.add(resource.at("/spec/target/name").asText());
            }
        });
        Set<String> named = new HashSet<>();
        FULL.documents().stream()
                .filter(document -> !document.path("kind").asText().equals("ExternalSecret"))
                .forEach(document -> {
                    for (String member : List.of("secretRef", "secretKeyRef", "passwordSecret")) {
                        document.findValues(member)
                                .forEach(reference ->
                                        named.add(reference.path("name").asText()));
                    }
                    document.findValues("secretName").forEach(name -> named.add(name.asText()));
                });
        assertThat(named).isEqualTo(made);
    }

    private static Set<String> secretsOf(Variant variant, String pods) {
        JsonNode container = variant.byName().get(pods).at("/spec/template/spec/containers/0");
        List<JsonNode> references = new ArrayList<>(container.findValues("secretRef"));
        references.addAll(container.findValues("secretKeyRef"));
        Set<String> names = new HashSet<>();
        references.forEach(reference -> names.add(reference.path("name").asText()));
        return names;
    }
}
