package dev.countersign.support;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;

import dev.countersign.support.Program.Run;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** The Node.js packages that tests drive, as {@code src/test/npm} locks them, installed once. */
public final class NodePackages {

    private static final Path LOCKED = Path.of("src/test/npm");
    private static final Path INSTALLED = Path.of("target/npm");
    private static final String LOCK = "package-lock.json";

    private final Program node;

    private NodePackages(Program node) {
        this.node = node;
    }

    /** Installs them, unless they are; where that can't be done, the test is skipped. */
    public static NodePackages orSkip() throws IOException {
        Program node = Program.orSkip("node", "--version");
        if (!areInstalled()) {
            install();
        }
        return new NodePackages(node);
    }

    /** Runs a script that a package brings. */
    public Run run(Map<String, String> environment, String script, String... arguments) {
        String path = INSTALLED.resolve("node_modules").resolve(script).toString();
        return node.run(
                environment,
                Stream.concat(Stream.of(path), Stream.of(arguments)).toArray(String[]::new));
    }

    /** Runs a script of ours. Its imports are looked up from where it lies, hence the copy. */
    public Run run(Map<String, String> environment, Path script, String... arguments) throws IOException {
        Path copy = INSTALLED.resolve(script.getFileName());
        Files.copy(script, copy, REPLACE_EXISTING);
        return node.run(
                environment,
                Stream.concat(Stream.of(copy.toString()), Stream.of(arguments)).toArray(String[]::new));
    }

    /** A file that a package brings. */
    Path file(String name) {
        return INSTALLED.resolve("node_modules").resolve(name);
    }

    private static boolean areInstalled() throws IOException {
        // npm writes the former when all else is there.
        return Files.exists(INSTALLED.resolve("node_modules/.package-lock.json"))
                && Files.mismatch(LOCKED.resolve(LOCK), INSTALLED.resolve(LOCK)) < 0;
    }

    private static void install() throws IOException {
        Files.createDirectories(INSTALLED);
        for (String file : List.of("package.json", LOCK, ".npmrc")) {
            Files.copy(LOCKED.resolve(file), INSTALLED.resolve(file), REPLACE_EXISTING);
        }
        Run run = Program.orSkip("npm", "--version").run(Map.of(), "ci", "--prefix", INSTALLED.toString());
        Assumptions.assumeTrue(run.exit() == 0, () -> "npm could not install what this test drives: " + run.err());
    }
}
