package dev.countersign.observability;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import dev.countersign.support.Program;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The alert rules, and what an operator does when one fires. */
class AlertsTest {

    private static final Path DIRECTORY = Path.of("src", "main", "kubernetes", "observability");
    private static final Path OPERATIONS = Path.of("docs", "operations.md");
    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());

    @Test
    void rulesFireWhenTheyShallAndNotOtherwise() {
        Program promtool = Program.orSkip("promtool", "--version");
        promtool.run(Map.of(), "check", "rules", DIRECTORY.resolve("alerts.yml").toString())
                .output();
        promtool.run(
                        Map.of(),
                        "test",
                        "rules",
                        DIRECTORY.resolve("alerts_test.yml").toString())
                .output();
    }

    /** As rules, which promtool can check: Grafana's own variable is any length of time. */
    @Test
    void dashboardAsksWhatPrometheusUnderstands() throws IOException {
        Program promtool = Program.orSkip("promtool", "--version");
        ArrayNode rules = YAML.createArrayNode();
        for (JsonNode panel : read("dashboard.json").path("panels")) {
            for (JsonNode target : panel.path("targets")) {
                rules.addObject()
                        .put("record", "panel:" + rules.size())
                        .put("expr", target.path("expr").asText().replace("$__rate_interval", "5m"));
            }
        }
        assertThat(rules).hasSizeGreaterThan(10);
        ObjectNode file = YAML.createObjectNode();
        file.putArray("groups").addObject().put("name", "dashboard").set("rules", rules);
        Path written = Files.createTempFile("countersign-dashboard", ".yml");
        try {
            YAML.writeValue(written.toFile(), file);
            promtool.run(Map.of(), "check", "rules", written.toString()).output();
        } finally {
            Files.delete(written);
        }
    }

    @Test
    void eachAlertHasACaseInWhichItFiresAndOneInWhichItDoesNot() throws IOException {
        List<String> firing = new ArrayList<>();
        List<String> silent = new ArrayList<>();
        for (JsonNode test : read("alerts_test.yml").path("tests")) {
            for (JsonNode expected : test.path("alert_rule_test")) {
                (expected.path("exp_alerts").isEmpty() ? silent : firing)
                        .add(expected.path("alertname").asText());
            }
        }
        assertThat(alerts()).isNotEmpty().allSatisfy(alert -> {
            String name = alert.path("alert").asText();
            assertThat(firing).contains(name);
            assertThat(silent).contains(name);
        });
    }

    @Test
    void eachAlertNamesItsRunbook() throws IOException {
        List<String> anchors = Files.readAllLines(OPERATIONS).stream()
                .filter(line -> line.startsWith("#"))
                .map(AlertsTest::anchor)
                .toList();
        assertThat(alerts()).allSatisfy(alert -> {
            String[] runbook =
                    alert.path("annotations").path("runbook").asText().split("#", 2);
            assertThat(Path.of(runbook[0])).isEqualTo(OPERATIONS);
            assertThat(anchors).contains(runbook[1]);
        });
    }

    private static List<JsonNode> alerts() throws IOException {
        List<JsonNode> alerts = new ArrayList<>();
        read("alerts.yml").path("groups").forEach(group -> group.path("rules").forEach(alerts::add));
        return alerts;
    }

    private static JsonNode read(String file) throws IOException {
        return YAML.readTree(DIRECTORY.resolve(file).toFile());
    }

    private static String anchor(String heading) {
        return heading.replaceFirst("^#+ ", "")
                .toLowerCase(Locale.ROOT)
                .replaceAll("[^a-z0-9 -]", "")
                .replace(' ', '-');
    }
}
