package dev.countersign.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.flywaydb.core.Flyway;

/**
 * A coordinator and two workers on loopback, with the tables distributed as docs/scaling.md tells. They take the place of
 * each test's PostgreSQL where {@code -Dcountersign.test.citus} names the directory of a PostgreSQL that has the
 * extension: src/bench/citus.
 */
final class CitusCluster {

    static final String HOME = System.getProperty("countersign.test.citus", "");

    private static final int WORKERS = 2;

    private CitusCluster() {}

    static PostgresServer startIn(Path data, Map<String, String> settings) {
        List<PostgresServer> workers = new ArrayList<>();
        try {
            for (int i = 0; i < WORKERS; i++) {
                workers.add(startNode(Files.createTempDirectory("countersign-test-citus"), Map.of(), List.of()));
            }
            PostgresServer coordinator = startNode(data, settings, workers);
            coordinator.execute("SELECT citus_set_coordinator_host('localhost', " + coordinator.port() + ")");
            for (PostgresServer worker : workers) {
                coordinator.execute("SELECT citus_add_node('localhost', " + worker.port() + ")");
            }
            Flyway.configure()
                    .dataSource(coordinator.jdbcUrl(), "postgres", "postgres")
                    .locations("filesystem:src/main/resources/db/migration")
                    .load()
                    .migrate();
            coordinator.execute("""
                    SET citus.shard_count = 8;
                    SELECT create_reference_table('app');
                    SELECT create_distributed_table('challenge_session', 'app_id', colocate_with => 'none')
                    """);
            return coordinator;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static PostgresServer startNode(Path data, Map<String, String> more, List<PostgresServer> workers)
            throws IOException {
        Path programs = Path.of(HOME, "bin");
        int port = ServiceProcess.freePort();
        PostgresServer.run(
                programs.resolve("initdb"),
                List.of("-D", data.toString(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"));
        Map<String, String> settings = new TreeMap<>(more);
        settings.put("shared_preload_libraries", "citus");
        settings.put("citus.node_conninfo", "sslmode=disable");
        settings.put("citus.recover_2pc_interval", "5s");
        settings.put("max_prepared_transactions", "200");
        settings.put("max_connections", "200");
        settings.put("listen_addresses", "localhost");
        settings.put("unix_socket_directories", data.toString());
        Files.write(
                data.resolve("postgresql.conf"),
                settings.entrySet().stream()
                        .map(setting -> setting.getKey() + " = '" + setting.getValue() + "'")
                        .toList(),
                StandardOpenOption.APPEND);
        PostgresServer.run(
                programs.resolve("pg_ctl"),
                List.of(
                        "start",
                        "-D",
                        data.toString(),
                        "-o",
                        "-p " + port,
                        "-l",
                        data.resolve("server.log").toString(),
                        "-w"));
        // A test's JVM may end without closing what it started.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(programs, data)));
        PostgresServer node = new PostgresServer(port, data, workers, () -> {
            workers.forEach(PostgresServer::close);
            stop(programs, data);
            delete(data);
        });
        node.execute("CREATE EXTENSION citus");
        return node;
    }

    private static void stop(Path programs, Path data) {
        if (Files.exists(data.resolve("postmaster.pid"))) {
            PostgresServer.run(
                    programs.resolve("pg_ctl"), List.of("stop", "-D", data.toString(), "-m", "immediate", "-w"));
        }
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> all = Files.walk(directory)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
