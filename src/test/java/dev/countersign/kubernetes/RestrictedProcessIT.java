package dev.countersign.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.Program;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The package runs as the manifests run it: as nobody in particular, where it can't write. */
class RestrictedProcessIT {

    /** As in the Dockerfiles; it need not have a name. */
    private static final String USER = "1001";

    private static final List<String> WITHOUT_RIGHTS =
            List.of("--reuid=" + USER, "--regid=" + USER, "--clear-groups", "--no-new-privs", "--bounding-set=-all");

    private static final Set<PosixFilePermission> READ_ONLY = PosixFilePermissions.fromString("r-xr-xr-x");

    @TempDir
    Path directory;

    @Test
    void servesAsANonRootUserFromADirectoryWhereItCannotWrite() throws Exception {
        Assumptions.assumeTrue(
                System.getProperty("user.name").equals("root"), "Only root can start a process as another user");
        Program setpriv = Program.orSkip("setpriv", "--version");
        Path copy = copyReadOnly(ServiceProcess.packaged());
        assertThat(run(setpriv, "test", "-r", copy.toString())).isZero();
        assertThat(run(setpriv, "test", "-w", directory.toString())).isNotZero();

        List<String> command = Stream.concat(Stream.of(setpriv.executable().toString()), WITHOUT_RIGHTS.stream())
                .toList();
        try (PostgresServer database = PostgresServer.start();
                ServiceProcess service = ServiceProcess.start(database, command, directory, copy);
                ServiceClient client = new ServiceClient(service.baseUri())) {
            assertThat(Files.readAllLines(Path.of("/proc", Long.toString(service.pid()), "status")))
                    .contains("Uid:\t" + String.join("\t", USER, USER, USER, USER), "CapEff:\t0000000000000000");
            database.execute("INSERT INTO app (app_id) VALUES ('demo')");
            Token token = Token.of(client.create("demo"));
            assertThat(client.redeem("demo", token.session(), token.code()).isSuccess())
                    .isTrue();
        }
    }

    private static int run(Program setpriv, String... command) {
        return setpriv.run(
                        Map.of(),
                        Stream.concat(WITHOUT_RIGHTS.stream(), Stream.of(command))
                                .toArray(String[]::new))
                .exit();
    }

    /** With its libraries, which a jar has beside it. */
    private Path copyReadOnly(Path packaged) throws IOException {
        Path root = ServiceProcess.isJvm() ? packaged.getParent() : packaged;
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.toList()) {
                Path copy = directory.resolve(packaged.getParent().relativize(file));
                if (Files.isDirectory(file)) {
                    Files.createDirectories(copy);
                } else {
                    Files.copy(file, copy);
                }
            }
        }
        try (Stream<Path> copies = Files.walk(directory)) {
            for (Path copy : copies.toList()) {
                Files.setPosixFilePermissions(copy, READ_ONLY);
            }
        }
        return directory.resolve(packaged.getFileName());
    }
}
