package dev.countersign.support;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import io.zonky.test.db.postgres.util.LinuxUtils;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A real PostgreSQL of a test's own, on a free port, durable as in production. It is a Citus cluster's coordinator where
 * {@link CitusCluster} says so.
 */
public final class PostgresServer implements AutoCloseable {

    private final int port;
    private final Path data;
    private final List<PostgresServer> workers;
    private final Closeable running;

    PostgresServer(int port, Path data, List<PostgresServer> workers, Closeable running) {
        this.port = port;
        this.data = data;
        this.workers = workers;
        this.running = running;
    }

    public static PostgresServer start() {
        return start(Map.of());
    }

    /** With settings of the server's own. */
    public static PostgresServer start(Map<String, String> settings) {
        try {
            return startIn(Files.createTempDirectory("countersign-test-postgres"), settings);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** With its data in an empty directory of the test's choice. */
    public static PostgresServer startIn(Path data) {
        return startIn(data, Map.of());
    }

    private static PostgresServer startIn(Path data, Map<String, String> settings) {
        if (isCitus()) {
            return CitusCluster.startIn(data, settings);
        }
        try {
            EmbeddedPostgres.Builder builder = EmbeddedPostgres.builder();
            settings.forEach(builder::setServerConfig);
            EmbeddedPostgres postgres = builder.setDataDirectory(data)
                    .setCleanDataDirectory(true)
                    .setPGStartupWait(Duration.ofSeconds(60))
                    .setServerConfig("fsync", "on")
                    .setServerConfig("synchronous_commit", "on")
                    .setServerConfig("full_page_writes", "on")
                    .setServerConfig("max_connections", "200")
                    .start();
            return new PostgresServer(postgres.getPort(), data, List.of(), postgres);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public int port() {
        return port;
    }

    /** Whether servers are Citus clusters in this run. */
    public static boolean isCitus() {
        return !CitusCluster.HOME.isEmpty();
    }

    /** Itself, and the workers of the cluster whose coordinator it is. */
    public List<PostgresServer> nodes() {
        return Stream.concat(Stream.of(this), workers.stream()).toList();
    }

    public Path dataDirectory() {
        return data;
    }

    public String jdbcUrl() {
        return jdbcUrl(port());
    }

    /** As seen through another port, such as a proxy's. */
    public static String jdbcUrl(int port) {
        return "jdbc:postgresql://localhost:" + port + "/postgres";
    }

    /** What the service needs to reach it. */
    public Map<String, String> settings() {
        return Map.of(
                "quarkus.datasource.jdbc.url", jdbcUrl(),
                "quarkus.datasource.username", "postgres",
                "quarkus.datasource.password", "postgres");
    }

    public Connection connect() throws SQLException {
        return DriverManager.getConnection(jdbcUrl(), "postgres", "postgres");
    }

    public void execute(String sql) {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    /** The only value of the only row. */
    public long ask(String sql) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        }
    }

    /** Whether somebody waits for a lock. */
    public boolean hasWaiters() throws SQLException {
        return ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") > 0;
    }

    /** Ends the server without a checkpoint, and takes back nothing and flushes nothing: as if it had crashed. */
    public void stopImmediately() {
        pgCtl("stop", "-m", "immediate");
    }

    /** Starts a server that has ended on its data and port, and returns when it has recovered and lets callers in. */
    public void startAgain() {
        // Without the first word, which is the program's path.
        String options = lines("postmaster.opts").getFirst().replaceFirst("^\\S+ ", "");
        pgCtl("start", "-o", options, "-l", data.resolve("restarted.log").toString());
    }

    /** Whether its postmaster lives. */
    public boolean isRunning() {
        return Files.exists(data.resolve("postmaster.pid"))
                && postmaster().map(ProcessHandle::isAlive).orElse(false);
    }

    private void pgCtl(String... arguments) {
        Path program =
                Path.of(lines("postmaster.opts").getFirst().split(" ", 2)[0]).resolveSibling("pg_ctl");
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("-D", data.toString(), "-w", "-t", "60"));
        run(program, all);
    }

    /** Runs one of PostgreSQL's programs, as whom a server is started too: PostgreSQL refuses to run as root. */
    static void run(Path program, List<String> arguments) {
        List<String> command = new ArrayList<>();
        if (LinuxUtils.isUnshareAvailable()) {
            command.addAll(List.of("unshare", "-U"));
        }
        command.add(program.toString());
        command.addAll(arguments);
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (process.waitFor() != 0) {
                throw new IllegalStateException(command + " failed");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    private List<String> lines(String file) {
        try {
            return Files.readAllLines(data.resolve(file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Stops every process of the server where it stands, as a hung host does. */
    public void freeze() {
        signalAll("STOP");
    }

    public void thaw() {
        signalAll("CONT");
    }

    private void signalAll(String signal) {
        ProcessHandle postmaster = postmaster().orElseThrow();
        signal(signal, postmaster);
        postmaster.descendants().forEach(process -> signal(signal, process));
    }

    private Optional<ProcessHandle> postmaster() {
        return ProcessHandle.of(
                Long.parseLong(lines("postmaster.pid").getFirst().strip()));
    }

    private static void signal(String signal, ProcessHandle process) {
        try {
            new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid()))
                    .start()
                    .waitFor(5, TimeUnit.SECONDS);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        try {
            running.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
