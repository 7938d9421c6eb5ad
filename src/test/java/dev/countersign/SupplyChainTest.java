package dev.countersign;

import static org.assertj.core.api.Assertions.assertThat;

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
        Document pom = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(Path.of("pom.xml").toFile());
        assertThat(texts(pom, "//plugin[not(version)]/artifactId")).isEmpty();
        assertThat(texts(pom, "//version | //properties/*[contains(name(), '.version')]"))
                .hasSizeGreaterThan(20)
                .allMatch(version -> version.startsWith("${") || version.matches("\\d[\\w.-]*|\\[25,\\)|\\[3\\.9,\\)"))
                .noneMatch(version -> version.endsWith("-SNAPSHOT"));
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
