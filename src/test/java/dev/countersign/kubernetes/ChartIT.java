package dev.countersign.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.countersign.support.ClusterTools;
import dev.countersign.support.Program.Run;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The chart installs what the base does, unless a value says otherwise. */
class ChartIT {

    private static final List<String> HOOK =
            List.of("helm.sh/hook", "helm.sh/hook-weight", "helm.sh/hook-delete-policy");

    @Test
    void lints() throws IOException {
        ClusterTools.helm()
                .run(Map.of(), "lint", "--strict", Variant.CHART.toString())
                .output();
    }

    @Test
    void defaultsAreTheBase() {
        Map<String, JsonNode> chart = new LinkedHashMap<>(Variant.CHART_DEFAULTS.byName());
        chart.replaceAll((name, resource) -> withoutHook(resource.deepCopy()));
        assertThat(chart).containsExactlyInAnyOrderEntriesOf(Variant.BASE.byName());
    }

    /** Helm runs the Job to its end before it changes a replica, and then makes a new one: a Job is immutable. */
    @Test
    void migrationIsAHookWithWhatItNeeds() {
        Map<String, JsonNode> chart = Variant.CHART_DEFAULTS.byName();
        int job = weight(chart.get("Job countersign-migration"));
        assertThat(weight(chart.get("ConfigMap countersign"))).isLessThan(job);
        assertThat(weight(chart.get("ServiceAccount countersign"))).isLessThan(job);
    }

    @Test
    void everyValueChangesWhatIsInstalled() throws IOException {
        JsonNode values = new ObjectMapper(new YAMLFactory())
                .readTree(Variant.CHART.resolve("values.yaml").toFile());
        String unchanged = Variant.template(Variant.WITH_ALL_PARTS);
        Map<String, String> others = new LinkedHashMap<>();
        addOthers(values, "", others);
        assertThat(others).hasSizeGreaterThan(12);
        for (Map.Entry<String, String> other : others.entrySet()) {
            List<String> arguments = new ArrayList<>(List.of(Variant.WITH_ALL_PARTS));
            arguments.addAll(List.of("--set", other.getKey() + "=" + other.getValue()));
            assertThat(Variant.template(arguments.toArray(String[]::new)))
                    .as(other.getKey())
                    .isNotEqualTo(unchanged);
        }
    }

    @Test
    void settingTakesThePlaceOfTheBases() throws IOException {
        List<String> names = new ArrayList<>();
        Variant.BASE
                .byName()
                .get("ConfigMap countersign")
                .path("data")
                .fieldNames()
                .forEachRemaining(names::add);
        assertThat(names).contains("COUNTERSIGN_LIMIT_READ_PER_MINUTE");
        for (String name : names) {
            String rendered = Variant.template("--set-string", "settings." + name + "=7");
            assertThat(Variant.parse(rendered))
                    .filteredOn(resource -> resource.path("kind").asText().equals("ConfigMap"))
                    .singleElement()
                    .satisfies(settings -> {
                        assertThat(settings.path("data").path(name).asText()).isEqualTo("7");
                        assertThat(settings.path("data").size()).isEqualTo(names.size());
                    });
        }
    }

    /** The pods' own variables count before the settings, so such a setting would do nothing. */
    @Test
    void settingThatThePodsSetThemselvesIsRefused() throws IOException {
        Set<String> names = new TreeSet<>();
        for (String pods : List.of("Deployment countersign", "Job countersign-migration")) {
            Variant.BASE
                    .byName()
                    .get(pods)
                    .findValues("env")
                    .forEach(env -> names.addAll(env.findValuesAsText("name")));
        }
        assertThat(names).contains("QUARKUS_SHUTDOWN_DELAY", "QUARKUS_INIT_AND_EXIT");
        for (String name : names) {
            Run run = ClusterTools.helm()
                    .run(Map.of(), "template", Variant.CHART.toString(), "--set-string", "settings." + name + "=x");
            assertThat(run.exit()).as(name).isNotZero();
            assertThat(run.err()).contains("schema");
        }
    }

    @Test
    void stopOutlastsALongDelay() throws IOException {
        JsonNode pod = Variant.parse(Variant.template("--set", "shutdownDelaySeconds=90")).stream()
                .filter(resource -> resource.path("kind").asText().equals("Deployment"))
                .map(resource -> resource.at("/spec/template/spec"))
                .findFirst()
                .orElseThrow();
        assertThat(pod.toString()).contains("{\"name\":\"QUARKUS_SHUTDOWN_DELAY\",\"value\":\"PT90S\"}");
        assertThat(pod.path("terminationGracePeriodSeconds").asInt()).isEqualTo(110);
    }

    @Test
    void withoutItsNetworkPoliciesAllElseStays() throws IOException {
        List<String> kinds = kinds(Variant.template());
        assertThat(kinds).contains("NetworkPolicy");
        kinds.removeIf("NetworkPolicy"::equals);
        assertThat(kinds(Variant.template("--set", "networkPolicies.enabled=false")))
                .containsExactlyElementsOf(kinds);
    }

    private static List<String> kinds(String yaml) throws IOException {
        return Variant.parse(yaml).stream()
                .map(resource -> resource.path("kind").asText())
                .collect(Collectors.toCollection(ArrayList::new));
    }

    @Test
    void valueThatNothingReadsIsRefused() throws IOException {
        for (String wrong : List.of("imgae=x", "replicas.min=none", "settings.lower-case=x", "gatewayApi.hostname=x")) {
            Run run = ClusterTools.helm().run(Map.of(), "template", Variant.CHART.toString(), "--set", wrong);
            assertThat(run.exit()).as(wrong).isNotZero();
            assertThat(run.err()).contains("schema");
        }
    }

    private static void addOthers(JsonNode values, String path, Map<String, String> others) {
        values.properties().forEach(value -> {
            String name = path + value.getKey();
            if (value.getValue().isObject()) {
                addOthers(value.getValue(), name + ".", others);
            } else if (value.getValue().isBoolean()) {
                others.put(name, "false");
            } else if (value.getValue().isInt()) {
                others.put(name, "9");
            } else {
                others.put(name, other(name));
            }
        });
    }

    private static String other(String name) {
        if (name.startsWith("memory.")) {
            return "1Gi";
        }
        return name.equals("cpu") ? "333m" : "other";
    }

    private static int weight(JsonNode resource) {
        JsonNode annotations = resource.at("/metadata/annotations");
        assertThat(annotations.path("helm.sh/hook").asText()).isEqualTo("pre-install,pre-upgrade,pre-rollback");
        assertThat(annotations.path("helm.sh/hook-delete-policy").asText()).isEqualTo("before-hook-creation");
        return annotations.path("helm.sh/hook-weight").asInt();
    }

    private static JsonNode withoutHook(JsonNode resource) {
        if (resource.at("/metadata/annotations") instanceof ObjectNode annotations) {
            annotations.remove(HOOK);
            if (annotations.isEmpty()) {
                ((ObjectNode) resource.path("metadata")).remove("annotations");
            }
        }
        return resource;
    }
}
