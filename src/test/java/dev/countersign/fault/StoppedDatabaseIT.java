package dev.countersign.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceProcess;
import java.time.Duration;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.Test;

/** PostgreSQL stopped with {@code -m immediate} under load, as a crash does, and started again, many times. */
class StoppedDatabaseIT {

    private static final Logger LOG = Logger.getLogger(StoppedDatabaseIT.class);

    private static final int STOPS = Extent.times(10, 50);
    private static final int CLIENTS = 24;

    /** Then the stop comes. */
    private static final int CALLS = 300;

    private final Ledger ledger = new Ledger();
    private int unanswered;
    private long longestRecoveryMillis;

    @Test
    void acknowledgedStaysThoughTheDatabaseStopsImmediately() throws Exception {
        try (PostgresServer database = careless();
                ServiceProcess service = ServiceProcess.start(database, ServiceProcess.DEFAULT_TIMEOUTS)) {
            database.execute("INSERT INTO app (app_id, ttl_seconds) VALUES ('demo', 3600)");
            for (int stop = 0; stop < STOPS; stop++) {
                stopUnderLoad(database, service);
                ledger.audit(service.baseUri());
            }
        }
        LOG.infof(
                "immediate stops %d, %s; calls that failed %d; first success at most %d ms after the restart",
                STOPS, ledger, unanswered, longestRecoveryMillis);
        assertThat(ledger.lost()).isZero();
        assertThat(longestRecoveryMillis).isLessThan(5000);
        // Else no stop came under load.
        assertThat(unanswered).isGreaterThanOrEqualTo(STOPS);
    }

    /** By its default, a commit is not awaited. */
    private static PostgresServer careless() {
        PostgresServer database = PostgresServer.start();
        database.execute("ALTER ROLE postgres SET synchronous_commit = off");
        return database;
    }

    private void stopUnderLoad(PostgresServer database, ServiceProcess service) {
        try (Load load = Load.start(service.baseUri(), CLIENTS, ledger::call)) {
            await().pollInterval(Duration.ofMillis(5)).until(() -> load.calls().size() > CALLS);
            database.stopImmediately();
            database.startAgain();
            long restarted = System.nanoTime();
            await().pollInterval(Duration.ofMillis(10))
                    .until(() ->
                            load.calls().stream().anyMatch(call -> call.status() == 200 && call.begin() > restarted));
            longestRecoveryMillis = Math.max(
                    longestRecoveryMillis,
                    load.stop().stream()
                            .filter(call -> call.status() == 200 && call.begin() > restarted)
                            .mapToLong(call ->
                                    Duration.ofNanos(call.end() - restarted).toMillis())
                            .min()
                            .orElseThrow());
            unanswered += (int) load.calls().stream()
                    .filter(call -> call.status() == 504 || call.status() == 0)
                    .count();
        }
    }
}
