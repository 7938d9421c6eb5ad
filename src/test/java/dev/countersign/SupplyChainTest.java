package dev.countersign;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPath;
import javax.xml.xpath.XPathConstants;
import javax.xml.xpath.XPathFactory;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

/** What the build is made with has one version, and changes by a commit of ours alone. */
class SupplyChainTest {

    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());
    private static final Pattern PINNED = Pattern.compile("[\\w./-]+@[0-9a-f]{40} # v\\d+\\.\\d+\\.\\d+");

    @Test
    void actionsArePinnedByTheirCommit() throws IOException {
        List<String> actions = new ArrayList<>();
        try (Stream<Path> workflows = Files.list(Path.of(".github", "workflows"))) {
            for (Path workflow : workflows.toList()) {
                Files.readAllLines(workflow).stream()
                        .map(line -> line.strip().replaceFirst("^- ", ""))
                        .filter(line -> line.startsWith("uses:"))
                        .map(line -> line.substring("uses:".length()).strip())
                        .forEach(actions::add);
            }
        }
        assertThat(actions)
                .isNotEmpty()
                .allMatch(action -> PINNED.matcher(action).matches());
    }

    @Test
    void versionsOfTheBuildAreFixed() throws Exception {
        Document pom = pom();
        assertThat(texts(pom, "//plugin[not(version)]/artifactId")).isEmpty();
        assertThat(texts(pom, "//version | //properties/*[contains(name(), '.version')]"))
                .hasSizeGreaterThan(20)
                .allMatch(version -> version.startsWith("${") || version.matches("\\d[\\w.-]*|\\[25,\\)|\\[3\\.9,\\)"))
                .noneMatch(version -> version.endsWith("-SNAPSHOT"));
    }

    @Test
    void licenceIsTheOneThatTheContractNames() throws Exception {
        JsonNode contract = YAML.readTree(Path.of("openapi.yaml").toFile());
        assertThat(texts(pom(), "/project/licenses/license/name"))
                .containsExactly(contract.at("/info/license/name").asText())
                .containsExactly("Apache-2.0");
        assertThat(Path.of("LICENSE")).content().contains("Apache License", "Version 2.0, January 2004");
    }

    /** Why: beside the version in pom.xml. */
    @Test
    void updatesLeaveJqwikWhereItIs() throws Exception {
        assertThat(texts(pom(), "//properties/jqwik.version")).containsExactly("1.9.3");
        JsonNode updates =
                YAML.readTree(Path.of(".github", "dependabot.yml").toFile()).path("updates");
        assertThat(updates)
                .filteredOn(update -> update.path("package-ecosystem").asText().equals("maven"))
                .singleElement()
                .satisfies(update -> assertThat(update.path("ignore").findValuesAsText("dependency-name"))
                        .contains("net.jqwik:*"));
    }

    private static Document pom() throws Exception {
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(Path.of("pom.xml").toFile());
    }

    private static List<String> texts(Document pom, String expression) throws Exception {
        XPath xpath = XPathFactory.newInstance().newXPath();
        NodeList nodes = (NodeList) xpath.evaluate(expression, pom, XPathConstants.NODESET);
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            texts.add(nodes.item(i).getTextContent());
        }
        return texts;
    }
}
