package dev.countersign.challenge;

import static java.util.Collections.nCopies;
import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceProcess;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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

    /** Without a schedule, so that only the start can have made the partitions. */
    private static int statusOfTheFirstCreate(PostgresServer database) {
        try (ServiceProcess service = ServiceProcess.start(database, Map.of("countersign.purge.every", "off"));
                ServiceClient client = new ServiceClient(service.baseUri())) {
            database.execute("INSERT INTO app (app_id) VALUES ('demo') ON CONFLICT DO NOTHING");
            return client.create("demo").status();
        }
    }
}
