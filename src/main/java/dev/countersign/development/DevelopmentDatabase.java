package dev.countersign.development;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import org.jboss.logging.Logger;

/** A real PostgreSQL for development. Its data survives a restart of the program. */
final class DevelopmentDatabase {

    private static final Logger LOG = Logger.getLogger(DevelopmentDatabase.class);
    private static final String URL = "quarkus.datasource.jdbc.url";
    private static final Path DATA = Path.of(".dev", "postgresql");

    private DevelopmentDatabase() {}

    /**
     * Starts the server, unless one already runs or a database is configured. A server that it starts stops with the
     * program.
     */
    static void start() {
        if (System.getProperty(URL) != null || System.getenv("QUARKUS_DATASOURCE_JDBC_URL") != null) {
            return;
        }
        int port = portOfRunning().orElseGet(DevelopmentDatabase::launch);
        System.setProperty(URL, "jdbc:postgresql://localhost:" + port + "/postgres");
        System.setProperty("quarkus.datasource.username", "postgres");
        System.setProperty("quarkus.datasource.password", "postgres");
        LOG.infof("The development database is %s, its data in %s", System.getProperty(URL), DATA);
    }

    // The server runs until the JVM's shutdown hook stops it.
    @SuppressWarnings({"resource", "MustBeClosedChecker"})
    private static int launch() {
        try {
            Files.createDirectories(DATA.toAbsolutePath().getParent());
            return EmbeddedPostgres.builder()
                    .setDataDirectory(DATA.toAbsolutePath())
                    .setCleanDataDirectory(false)
                    .setPGStartupWait(Duration.ofSeconds(60))
                    // The library's defaults are for tests that may lose their data.
                    .setServerConfig("fsync", "on")
                    .setServerConfig("synchronous_commit", "on")
                    .setServerConfig("full_page_writes", "on")
                    .start()
                    .getPort();
        } catch (IOException e) {
            throw new UncheckedIOException("The development database did not start; its data is in " + DATA, e);
        }
    }

    /** The port of a server that an earlier program left behind when it was killed. */
    private static OptionalInt portOfRunning() {
        try {
            List<String> lock = Files.readAllLines(DATA.resolve("postmaster.pid"));
            int port = Integer.parseInt(lock.get(3).strip());
            new Socket(InetAddress.getLoopbackAddress(), port).close();
            return OptionalInt.of(port);
        } catch (IOException | RuntimeException e) {
            return OptionalInt.empty();
        }
    }
}
