package dev.countersign.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.countersign.support.ClusterTools;
import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceAccount;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.autoscaling.v2.HorizontalPodAutoscaler;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.gatewayapi.v1.HTTPRoute;
import io.fabric8.kubernetes.api.model.networking.v1.NetworkPolicy;
import io.fabric8.kubernetes.api.model.policy.v1.PodDisruptionBudget;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** One way to install: what a cluster would be sent, as the build wrote it for {@code kubectl apply -k} or for Helm. */
record Variant(String name, Callable<String> rendering) {

    static final Path DEPLOY = Path.of("target", "deploy");
    static final Path CHART = DEPLOY.resolve("chart");

    /** Everything that the chart can add. */
    static final String[] WITH_ALL_PARTS = {
        "--set", "prometheusOperator.enabled=true,gatewayApi.enabled=true,databaseCa=countersign-database-ca"
    };

    private static final ObjectMapper YAML =
            new ObjectMapper(new YAMLFactory().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION));
    private static final ObjectMapper STRICT = JsonMapper.builder()
            .annotationIntrospector(new NoPlaceForUnknownFields())
            .build();

    private static final Map<String, Class<? extends HasMetadata>> KINDS = Stream.of(
                    Namespace.class,
                    ServiceAccount.class,
                    ConfigMap.class,
                    Service.class,
                    Deployment.class,
                    Job.class,
                    PodDisruptionBudget.class,
                    HorizontalPodAutoscaler.class,
                    NetworkPolicy.class,
                    HTTPRoute.class)
            .collect(Collectors.toMap(HasMetadata::getKind, type -> type));

    /** Of operators whose types this build doesn't have. */
    private static final Set<String> OF_OPERATORS = Set.of(
            "monitoring.coreos.com/v1 PodMonitor",
            "monitoring.coreos.com/v1 PrometheusRule",
            "postgresql.cnpg.io/v1 Cluster",
            "external-secrets.io/v1 ExternalSecret");

    private static final Map<String, List<JsonNode>> RENDERED = new ConcurrentHashMap<>();

    static final Variant BASE =
            new Variant("base", () -> Files.readString(DEPLOY.resolve("base").resolve("kubernetes.yml")));
    static final Variant CHART_DEFAULTS = new Variant("chart", Variant::template);
    static final Variant CHART_WITH_ALL_PARTS = new Variant("chart with all parts", () -> template(WITH_ALL_PARTS));

    static Variant example(String name) {
        return new Variant(
                "example " + name, () -> kustomize(DEPLOY.resolve("examples").resolve(name)));
    }

    /** A component with nothing but the base. */
    static Variant component(String name) {
        return new Variant("component " + name, () -> {
            Path overlay = DEPLOY.resolve("alone").resolve(name);
            Files.createDirectories(overlay);
            // What the component gateway-api reads.
            Files.writeString(
                    overlay.resolve("gateway.yaml"), Files.readString(DEPLOY.resolve("examples/full/gateway.yaml")));
            Files.writeString(overlay.resolve("kustomization.yaml"), """
                    resources: [../../base, gateway.yaml]
                    components: [../../components/%s]
                    """.formatted(name));
            return kustomize(overlay);
        });
    }

    /** Whatever the build wrote, so that what is added is tested by itself. */
    static List<Variant> all() throws IOException {
        List<Variant> all = new ArrayList<>(List.of(BASE, CHART_DEFAULTS, CHART_WITH_ALL_PARTS));
        for (String name : directories("examples")) {
            all.add(example(name));
        }
        for (String name : directories("components")) {
            all.add(component(name));
        }
        return all;
    }

    private static List<String> directories(String parent) throws IOException {
        try (Stream<Path> directories = Files.list(DEPLOY.resolve(parent))) {
            return directories
                    .map(directory -> directory.getFileName().toString())
                    .sorted()
                    .toList();
        }
    }

    static String kustomize(Path overlay) throws IOException {
        return ClusterTools.kubectl()
                .run(Map.of(), "kustomize", overlay.toString())
                .output();
    }

    static String template(String... arguments) throws IOException {
        return ClusterTools.helm()
                .run(
                        Map.of(),
                        Stream.concat(Stream.of("template", "countersign", CHART.toString()), Stream.of(arguments))
                                .toArray(String[]::new))
                .output();
    }

    static List<JsonNode> parse(String yaml) throws IOException {
        try (MappingIterator<JsonNode> documents =
                YAML.readerFor(JsonNode.class).readValues(yaml)) {
            return documents.readAll().stream()
                    .filter(document -> document.has("kind"))
                    .toList();
        }
    }

    /** In the order in which they are applied. */
    List<JsonNode> documents() {
        return RENDERED.computeIfAbsent(name, name -> {
            try {
                return parse(rendering.call()).stream()
                        .sorted(Comparator.comparingInt(Variant::turn))
                        .toList();
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        });
    }

    /** Helm applies its hooks first, by their weight. */
    private static int turn(JsonNode document) {
        JsonNode annotations = document.at("/metadata/annotations");
        return annotations.path("helm.sh/hook").asText().contains("pre-install")
                ? annotations.path("helm.sh/hook-weight").asInt()
                : Integer.MAX_VALUE;
    }

    /** A field that the API doesn't have, a misspelt one for instance, fails here. */
    List<HasMetadata> resources() {
        List<HasMetadata> resources = new ArrayList<>();
        for (JsonNode document : documents()) {
            String kind = document.path("kind").asText();
            String apiVersion = document.path("apiVersion").asText();
            if (OF_OPERATORS.contains(apiVersion + " " + kind)) {
                continue;
            }
            assertThat(KINDS).as("kinds that this test knows").containsKey(kind);
            assertThat(apiVersion).as(kind).isEqualTo(HasMetadata.getApiVersion(KINDS.get(kind)));
            try {
                resources.add(STRICT.treeToValue(document, KINDS.get(kind)));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return resources;
    }

    /** Such as {@code Job countersign-migration}. */
    Map<String, JsonNode> byName() {
        return documents().stream()
                .collect(Collectors.toMap(
                        document -> document.path("kind").asText() + " "
                                + document.at("/metadata/name").asText(),
                        Function.identity()));
    }

    @Override
    public String toString() {
        return name;
    }

    /** The model keeps what it doesn't know in a map, where nobody would miss it. */
    private static final class NoPlaceForUnknownFields extends JacksonAnnotationIntrospector {

        private static final long serialVersionUID = 1;

        @Override
        public Boolean hasAnySetter(Annotated member) {
            return false;
        }
    }
}
