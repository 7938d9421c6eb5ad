package dev.countersign.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The package without a limit among its settings: only an app with a rate of its own is limited, and only it pays. */
class LimitIT {

    /** PostgreSQL's log says so of each statement, with the text on the same line's rest and those that follow it. */
    private static final Pattern STATEMENT = Pattern.compile("LOG:  (?:execute [^:]*|statement): ");

    private static final Pattern ASKS_FOR_A_LIMIT = Pattern.compile("\\b(?:app|limit_bucket|App)\\b");

    /** All rates at once, in the background. */
    private static final Pattern BACKGROUND = Pattern.compile("create_token_per_minute is not null");

    private static final int APPS = 40;

    private static PostgresServer database;
    private static ServiceProcess service;
    private static Path log;

    @BeforeAll
    static void start() {
        database = PostgresServer.start();
        database.execute("ALTER SYSTEM SET log_statement = 'all'");
        database.stopImmediately();
        database.startAgain();
        log = database.dataDirectory().resolve("restarted.log");
        service = ServiceProcess.start(database, ServiceProcess.DEFAULT_TIMEOUTS);
        database.execute("INSERT INTO app (app_id, create_token_per_minute) VALUES ('demo', NULL), ('limited', 10)");
        database.execute("INSERT INTO app (app_id, create_token_per_minute)"
                + " SELECT 'limited' || i, 10 FROM generate_series(0, " + (APPS - 1) + ") AS i");
    }

    @AfterAll
    static void stop() {
        service.close();
        database.close();
    }

    @Test
    void createWithoutALimitAsksNoTableForOne() throws Exception {
        try (ServiceClient client = new ServiceClient(service.baseUri())) {
            Token.of(client.create("demo"));
            // Longer than a rate is remembered.
            Thread.sleep(Duration.ofMillis(1500));
            String before = Files.readString(log);
            Token.of(client.create("demo"));
            assertThat(statementsAfter(before))
                    .filteredOn(statement -> ASKS_FOR_A_LIMIT.matcher(statement).find()
                            && !BACKGROUND.matcher(statement).find())
                    .singleElement()
                    .asString()
                    .contains("INSERT INTO challenge_session");
        }
    }

    /** More of these apps than a replica has connections. */
    @Test
    void lockedBucketsStopOnlyTheAppsThatHaveALimit() throws Exception {
        try (ServiceClient client = new ServiceClient(service.baseUri());
                ExecutorService limited = Executors.newVirtualThreadPerTaskExecutor();
                Connection other = database.connect();
                Statement statement = other.createStatement()) {
            awaitLimit(client);
            other.setAutoCommit(false);
            statement.execute("LOCK TABLE limit_bucket");
            List<Future<Integer>> refused = IntStream.range(0, APPS)
                    .mapToObj(i -> limited.submit(() -> create("limited" + i)))
                    .toList();
            for (int i = 0; i < 10; i++) {
                Token token = Token.of(client.create("demo"));
                assertThat(client.read("demo", token.session()).status()).isEqualTo(200);
                assertThat(client.redeem("demo", token.session(), token.code()).status())
                        .isEqualTo(200);
            }
            for (Future<Integer> each : refused) {
                assertThat(each.get()).isEqualTo(504);
            }
            await().atMost(Duration.ofSeconds(3))
                    .untilAsserted(() -> assertThat(database.ask(
                                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))
                            .as("statements that nobody waits for any more")
                            .isZero());
        }
    }

    private static int create(String app) {
        try (ServiceClient client = new ServiceClient(service.baseUri())) {
            return client.create(app).status();
        }
    }

    /** There may be many apps, and few with a rate of their own. */
    @Test
    void ratesAreReadFromTheirIndex() {
        await().atMost(Duration.ofSeconds(30)).until(() -> database.ask("""
                        SELECT coalesce(sum(idx_scan), 0) FROM pg_stat_user_indexes WHERE indexrelname = 'app_rate'
                        """) > 2);
    }

    /** As a rate is read in the background, and what was admitted before then is not counted. */
    private static void awaitLimit(ServiceClient client) {
        await().atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(1))
                .until(() -> client.create("limited").status() == 429);
    }

    private static List<String> statementsAfter(String before) throws IOException {
        return STATEMENT
                .splitAsStream(Files.readString(log).substring(before.length()))
                .skip(1)
                .toList();
    }
}
