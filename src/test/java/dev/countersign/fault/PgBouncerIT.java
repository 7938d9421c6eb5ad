package dev.countersign.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceProcess;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Behind a pooler, as docs/operations.md sets it up, with a database whose default is not to wait for the disk: what was
 * acknowledged survives its crash.
 */
class PgBouncerIT {

    private static final Path PROGRAM = Path.of("/usr/sbin/pgbouncer");
    private static final Path OPERATIONS = Path.of("docs", "operations.md");
    private static final String UNPREPARED = "prepareThreshold=0";
    private static final int TOKENS = 12;
    private static final int CLIENTS = 8;

    @ParameterizedTest
    @ValueSource(strings = {"session", "transaction"})
    void whatWasAcknowledgedIsDurable(String mode) throws Exception {
        assumeThat(PROGRAM).as("PgBouncer").isExecutable();
        try (PostgresServer database = PostgresServer.start()) {
            // Else what nobody waits for would be on the disk soon all the same.
            database.execute("ALTER SYSTEM SET wal_writer_delay = '10s'");
            // The database's, as the server's own stands on its command line.
            database.execute("ALTER DATABASE postgres SET synchronous_commit = off");
            database.execute("SELECT pg_reload_conf()");
            int port = freePort();
            Process bouncer = start(mode, database.port(), port);
            try {
                Map<String, String> settings = new HashMap<>();
                settings.put("quarkus.datasource.jdbc.url", PostgresServer.jdbcUrl(port));
                settings.put("quarkus.flyway.jdbc-url", database.jdbcUrl());
                if (mode.equals("transaction")) {
                    // The documented ones, but for that of durability: the statements' own is what is tested.
                    documented().stream()
                            .filter(set -> !set.contains("synchronous_commit"))
                            .forEach(set -> database.execute(set.replace("countersign_service", "postgres")));
                    settings.put("quarkus.datasource.jdbc.new-connection-sql", "SELECT 1");
                    assertThat(Files.readString(OPERATIONS)).contains(UNPREPARED);
                    settings.put("quarkus.datasource.jdbc.url", PostgresServer.jdbcUrl(port) + "?" + UNPREPARED);
                }
                try (ServiceProcess service = ServiceProcess.start(database, settings);
                        ServiceClient client = new ServiceClient(service.baseUri())) {
                    database.execute("INSERT INTO app (app_id) VALUES ('demo'); CHECKPOINT");
                    callConcurrently(service);
                    List<Token> tokens = Stream.generate(() -> Token.of(client.create("demo")))
                            .limit(TOKENS)
                            .toList();
                    crash(database);
                    assertThat(database.ask("SELECT count(*) FROM challenge_session"))
                            .isEqualTo((CLIENTS + 1) * TOKENS);
                    // PgBouncer tries a server again after server_login_retry, 15 s.
                    await().atMost(Duration.ofSeconds(40))
                            .until(() -> client.read("demo", tokens.getFirst().session())
                                    .isSuccess());
                    for (Token token : tokens) {
                        assertThat(client.redeem("demo", token.session(), token.code())
                                        .status())
                                .isEqualTo(200);
                    }
                    crash(database);
                    assertThat(database.ask("SELECT count(*) FROM challenge_session WHERE state = 'redeemed'"))
                            .isEqualTo((CLIENTS + 1) * TOKENS);
                }
            } finally {
                bouncer.destroy();
                bouncer.waitFor(10, TimeUnit.SECONDS);
            }
        }
    }

    private static void crash(PostgresServer database) {
        database.stopImmediately();
        database.startAgain();
    }

    private static Process start(String mode, int databasePort, int port) throws IOException {
        Path directory = Files.createTempDirectory("countersign-test-pgbouncer");
        Path settings = directory.resolve("pgbouncer.ini");
        Files.writeString(settings, """
                [databases]
                postgres = host=127.0.0.1 port=%d user=postgres password=postgres
                [pgbouncer]
                listen_addr = 127.0.0.1
                listen_port = %d
                unix_socket_dir =
                auth_type = any
                pool_mode = %s
                ignore_startup_parameters = extra_float_digits
                """.formatted(databasePort, port, mode));
        // It refuses to run as root.
        List<String> command = System.getProperty("user.name").equals("root")
                ? List.of("setpriv", "--reuid=65534", "--clear-groups", PROGRAM.toString(), settings.toString())
                : List.of(PROGRAM.toString(), settings.toString());
        directory.toFile().setExecutable(true, false);
        directory.toFile().setReadable(true, false);
        Process bouncer = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(Path.of("target", "pgbouncer-" + mode + ".log").toFile())
                .start();
        await().ignoreExceptions().until(() -> isUp(port));
        return bouncer;
    }

    private static boolean isUp(int port) throws SQLException {
        try (Connection connection =
                DriverManager.getConnection(PostgresServer.jdbcUrl(port), "postgres", "postgres")) {
            return connection.isValid(1);
        }
    }

    /** Uses several connections at once, which PgBouncer then shares among its own to the server. */
    private static void callConcurrently(ServiceProcess service) throws Exception {
        try (ExecutorService clients = Executors.newFixedThreadPool(CLIENTS)) {
            for (Future<?> calls : clients.invokeAll(Collections.nCopies(CLIENTS, () -> call(service)))) {
                calls.get();
            }
        }
    }

    private static Void call(ServiceProcess service) throws Exception {
        try (ServiceClient client = new ServiceClient(service.baseUri())) {
            for (int i = 0; i < TOKENS; i++) {
                Token token = Token.of(client.create("demo"));
                assertThat(client.read("demo", token.session()).status()).isEqualTo(200);
                assertThat(client.redeem("demo", token.session(), token.code()).status())
                        .isEqualTo(200);
            }
            return null;
        }
    }

    private static List<String> documented() throws IOException {
        return Pattern.compile("^ALTER ROLE countersign_service SET .*$", Pattern.MULTILINE)
                .matcher(Files.readString(OPERATIONS))
                .results()
                .map(result -> result.group())
                .toList();
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
