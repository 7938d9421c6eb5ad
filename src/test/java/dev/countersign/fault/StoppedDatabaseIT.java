package dev.countersign.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.countersign.fault.Load.Call;
import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.Test;

/**
 * PostgreSQL stopped with {@code -m immediate} under load, as a crash does, and started again, many times. Of a Citus
 * cluster, its servers in turn.
 */
class StoppedDatabaseIT {

    private static final Logger LOG = Logger.getLogger(StoppedDatabaseIT.class);

    private static final int STOPS = Extent.times(10, 50);
    private static final int CLIENTS = 24;

    /** Then the stop comes. */
    private static final int CALLS = 300;

    private final Ledger ledger = new Ledger();
    private final Collection<Call> calls = new ArrayList<>();
    private long longestRecoveryMillis;

    @Test
    void acknowledgedStaysThoughTheDatabaseStopsImmediately() throws Exception {
        try (PostgresServer database = careless();
                ServiceProcess service = ServiceProcess.start(database, ServiceProcess.DEFAULT_TIMEOUTS)) {
            database.execute("INSERT INTO app (app_id, ttl_seconds) VALUES ('demo', 3600)");
            ServiceLevel before = ServiceLevel.onceUsed(service, CLIENTS, List.of(ledger::call));
            try (Liveness liveness = Liveness.watch(service)) {
                for (int stop = 0; stop < STOPS; stop++) {
                    stopUnderLoad(database.nodes().get(stop % database.nodes().size()), service);
                    ledger.audit(service.baseUri());
                }
                ServiceLevel after = ServiceLevel.awaitBackAt(before, service);
                long failed = count(504);
                long longestMillis =
                        calls.stream().mapToLong(Call::millis).max().orElseThrow();
                LOG.infof(
                        "immediate stops %d, %s; calls that failed %d, longest reply %d ms, liveness failures %d of %d;"
                                + " first success at most %d ms after the restart (before: %s; after: %s)",
                        STOPS,
                        ledger,
                        failed,
                        longestMillis,
                        liveness.failures(),
                        liveness.probes(),
                        longestRecoveryMillis,
                        before,
                        after);
                assertThat(ledger.lost()).isZero();
                assertThat(count(0)).as("calls without a reply").isZero();
                assertThat(longestMillis).isLessThanOrEqualTo(Endurance.BUDGET_MILLIS + liveness.longestMillis());
                assertThat(liveness.failures()).isZero();
                assertThat(after.isBackAt(before))
                        .as("%s is back at %s", after, before)
                        .isTrue();
                assertThat(longestRecoveryMillis).isLessThan(5000);
                // Else no stop came under load.
                assertThat(failed).isGreaterThanOrEqualTo(STOPS);
            }
        }
    }

    private long count(int status) {
        return calls.stream().filter(call -> call.status() == status).count();
    }

    /** By its default, a commit is not awaited. With such a default, the service doesn't start on Citus. */
    private static PostgresServer careless() {
        PostgresServer database = PostgresServer.start();
        if (!PostgresServer.isCitus()) {
            database.execute("ALTER ROLE postgres SET synchronous_commit = off");
        }
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
            calls.addAll(load.stop());
            longestRecoveryMillis = Math.max(
                    longestRecoveryMillis,
                    calls.stream()
                            .filter(call -> call.status() == 200 && call.begin() > restarted)
                            .mapToLong(call ->
                                    Duration.ofNanos(call.end() - restarted).toMillis())
                            .min()
                            .orElseThrow());
        }
    }
}
