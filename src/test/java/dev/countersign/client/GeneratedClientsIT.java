package dev.countersign.client;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.Callers;
import dev.countersign.support.NodePackages;
import dev.countersign.support.Program;
import dev.countersign.support.Program.Run;
import dev.countersign.support.ServiceTest;
import io.quarkus.test.junit.QuarkusIntegrationTest;
import io.restassured.RestAssured;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Clients that the build generates from the contract compile or load as they are. Three of them create a token, redeem it and
 * read its status from the packaged service; each is skipped where its language isn't installed.
 */
@QuarkusIntegrationTest
class GeneratedClientsIT extends ServiceTest {

    private static final Path CLIENTS = Path.of("target", "clients").toAbsolutePath();
    private static final Path DRIVERS =
            Path.of("src", "test", "clients", "generated").toAbsolutePath();
    private static final String LIFE = "/builds/17\nREDEEMED\n404\n";

    @Test
    void javaClientLivesATokensLife() throws IOException {
        Path home = Path.of(System.getProperty("java.home"), "bin");
        String classPath = System.getProperty("java.class.path");
        String classes = CLIENTS.resolve("java/classes").toString();
        List<String> sources = new ArrayList<>(List.of(
                "-proc:none",
                "-nowarn",
                "-d",
                classes,
                "-cp",
                classPath,
                DRIVERS.resolve("Client.java").toString()));
        sources.addAll(files(CLIENTS.resolve("java/src/main/java"), ".java"));
        new Program(home.resolve("javac"))
                .run(Map.of(), sources.toArray(String[]::new))
                .output();
        Run driver = new Program(home.resolve("java"))
                .run(environment(), "-cp", classes + File.pathSeparator + classPath, "Client");
        assertThat(driver.output()).isEqualTo(LIFE + "unknown_default_open_api\n");
    }

    @Test
    void typeScriptClientLivesATokensLife() throws IOException {
        NodePackages packages = NodePackages.orSkip();
        Path client = CLIENTS.resolve("typescript");
        Path driver = Files.copy(DRIVERS.resolve("client.ts"), client.resolve("client.ts"), REPLACE_EXISTING);
        packages.run(
                        Map.of(),
                        "typescript/bin/tsc",
                        "--strict",
                        "--target",
                        "es2022",
                        "--lib",
                        "es2022,dom",
                        "--module",
                        "commonjs",
                        "--outDir",
                        client.resolve("dist").toString(),
                        driver.toString())
                .output();
        assertLife(Program.orSkip("node", "--version")
                .run(environment(), client.resolve("dist/client.js").toString()));
    }

    @Test
    void pythonClientLivesATokensLife() {
        Program python = Program.orSkip(
                "python3", "-c", "import dateutil, pydantic, urllib3; assert pydantic.VERSION.startswith('2.')");
        Map<String, String> environment = environment();
        environment.put("PYTHONPATH", CLIENTS.resolve("python").toString());
        assertLife(python.run(environment, DRIVERS.resolve("client.py").toString()));
    }

    @Test
    void rubyClientLoads() {
        Program ruby = Program.orSkip("ruby", "-rtyphoeus", "-e", "0");
        assertThat(ruby.run(
                                Map.of(),
                                "-I" + CLIENTS.resolve("ruby/lib"),
                                DRIVERS.resolve("load.rb").toString())
                        .output())
                .isEqualTo("loaded\n");
    }

    @Test
    void phpClientLoads() {
        Program php = Program.orSkip("php", "-r", "require 'GuzzleHttp/autoload.php';");
        assertThat(php.run(
                                Map.of(),
                                DRIVERS.resolve("load.php").toString(),
                                CLIENTS.resolve("php/lib").toString())
                        .output())
                .isEqualTo("loaded\n");
    }

    private static void assertLife(Run driver) {
        assertThat(driver.output()).isEqualTo(LIFE);
    }

    private static Map<String, String> environment() {
        Map<String, String> environment = new HashMap<>();
        environment.put("ENDPOINT", "http://localhost:" + RestAssured.port);
        environment.put("TOKEN", Callers.token());
        return environment;
    }

    private static List<String> files(Path directory, String ending) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            return files.map(Path::toString)
                    .filter(file -> file.endsWith(ending))
                    .toList();
        }
    }
}
