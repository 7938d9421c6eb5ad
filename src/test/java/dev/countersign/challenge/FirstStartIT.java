package dev.countersign.challenge;

import static java.util.Collections.nCopies;
import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.Program;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Packaged services that find an empty database: the first token of each has its partition. */
class FirstStartIT {

    private static final int REPLICAS = 2;

    @Test
    void partitionsAreThereBeforeTheFirstRequest() throws Exception {
        try (PostgresServer database = PostgresServer.start();
                ExecutorService replicas = Executors.newFixedThreadPool(REPLICAS)) {
            Callable<Integer> replica = () -> statusOfTheFirstCreate(database);
            for (Future<Integer> status : replicas.invokeAll(nCopies(REPLICAS, replica))) {
                assertThat(status.get()).isEqualTo(200);
            }
            assertThat(database.ask("SELECT count(*) FROM challenge_session")).isEqualTo(REPLICAS);
            assertThat(database.ask("SELECT count(*) FROM challenge_session_default"))
                    .isZero();
        }
    }

    /** As an operator wants it who leaves the schema to another. */
    @Test
    void replicaThatDoesNotPurgeAttachesNothing() throws Exception {
        try (PostgresServer database = PostgresServer.start();
                ServiceProcess _ = ServiceProcess.start(database, Map.of("countersign.purge.every", "off"))) {
            assertThat(database.ask("SELECT count(*) FROM challenge_session_partition"))
                    .isZero();
        }
    }

    @Test
    void databaseOfAnotherEncodingStopsTheStart() throws Exception {
        try (PostgresServer database = PostgresServer.start()) {
            database.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
            Program.Run start = ServiceProcess.runToEnd(
                    database,
                    Map.of("quarkus.datasource.jdbc.url", database.jdbcUrl().replace("/postgres", "/latin")));
            assertThat(start.exit()).isNotZero();
            assertThat(start.out())
                    .contains("The database latin is encoded in LATIN1, and Countersign needs UTF8. Make another one:");
        }
    }

    /** Its codes would be others than theirs, and the right ones wrong. */
    @Test
    void replicaWithOtherBytesForAKeyIdDoesNotStart() throws Exception {
        try (PostgresServer database = PostgresServer.start();
                ServiceProcess first = ServiceProcess.start(database)) {
            Map<String, String> other = Map.of("countersign.challenge.keys.test", ServiceProcess.randomKey());
            Program.Run second = ServiceProcess.runToEnd(database, other);
            assertThat(second.exit()).isNotZero();
            assertThat(second.out())
                    .contains("countersign.challenge.keys.test differs from the key that this database has recorded"
                            + " for this id");
            first.stop();
            database.execute(documented());
            try (ServiceProcess after = first.startAgain(other);
                    ServiceClient client = new ServiceClient(after.baseUri())) {
                database.execute("INSERT INTO app (app_id) VALUES ('demo')");
                assertThat(client.create("demo").status()).isEqualTo(200);
            }
        }
    }

    /** What docs/operations.md has the owner do, with the id of the key that is wrong. */
    private static String documented() throws IOException {
        Matcher statement = Pattern.compile("`(DELETE FROM key_check WHERE key_id = 'k1')`")
                .matcher(Files.readString(Path.of("docs", "operations.md")));
        assertThat(statement.find()).isTrue();
        return statement.group(1).replace("k1", "test");
    }

    /** Its schedule doesn't come again, so that only the start can have made the partitions. */
    private static int statusOfTheFirstCreate(PostgresServer database) {
        try (ServiceProcess service = ServiceProcess.start(database, Map.of("countersign.purge.every", "PT1H"));
                ServiceClient client = new ServiceClient(service.baseUri())) {
            database.execute("INSERT INTO app (app_id) VALUES ('demo') ON CONFLICT DO NOTHING");
            return client.create("demo").status();
        }
    }
}
