package dev.countersign.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.countersign.fault.Load.Call;
import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceProcess;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Collection;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.Test;

/**
 * The disk of the database full: first no row finds a place, then no record of the write-ahead log does, which ends the
 * server. What was acknowledged is kept, and with room everything works again.
 */
class FullDiskIT {

    private static final Logger LOG = Logger.getLogger(FullDiskIT.class);

    private static final int MEBIBYTES = 192;
    private static final int CLIENTS = 16;
    private static final int CALLS = 200;

    private final Ledger ledger = new Ledger();

    @Test
    void acknowledgedStaysThoughTheDiskIsFull() throws Exception {
        try (SmallDisk disk = SmallDisk.orSkip(MEBIBYTES);
                PostgresServer database = PostgresServer.startIn(disk.directory());
                ServiceProcess service = ServiceProcess.start(database, ServiceProcess.DEFAULT_TIMEOUTS)) {
            database.execute("INSERT INTO app (app_id, ttl_seconds) VALUES ('demo', 3600)");
            endure("no room for rows", disk, database, service, () -> {});
            assertThat(database.isRunning())
                    .as("the server lives without room for rows")
                    .isTrue();
            endure("no room for the log", disk, database, service, () -> useUpTheLog(database));
        }
    }

    private void endure(String name, SmallDisk disk, PostgresServer database, ServiceProcess service, Runnable besides)
            throws Exception {
        long roomAgain;
        Collection<Call> calls;
        try (Liveness liveness = Liveness.watch(service);
                Load load = Load.start(service.baseUri(), CLIENTS, ledger::call)) {
            await().pollInterval(Duration.ofMillis(5)).until(() -> load.calls().size() > CALLS);
            disk.fill();
            besides.run();
            await().until(() ->
                    load.calls().stream().filter(call -> call.status() == 504).count() > CLIENTS);
            disk.makeRoom();
            boolean ended = !database.isRunning();
            if (ended) {
                // As whatever watches over a server does.
                database.startAgain();
            }
            roomAgain = System.nanoTime();
            await().until(() -> load.calls().stream().anyMatch(call -> isSuccessAfter(roomAgain, call)));
            calls = load.stop();
            ledger.audit(service.baseUri());
            long longest = calls.stream().mapToLong(Call::millis).max().orElseThrow();
            LOG.infof(
                    "disk full, %s: %d calls failed, longest reply %d ms, the server ended: %s, first success %d ms after"
                            + " there was room, liveness failures %d of %d; %s",
                    name,
                    calls.stream().filter(call -> call.status() == 504).count(),
                    longest,
                    ended,
                    firstSuccess(calls, roomAgain),
                    liveness.failures(),
                    liveness.probes(),
                    ledger);
            assertThat(ledger.lost()).isZero();
            assertThat(calls).allMatch(call -> call.status() == 200 || call.status() == 504);
            assertThat(longest).isLessThanOrEqualTo(Endurance.BUDGET_MILLIS + liveness.longestMillis());
            assertThat(liveness.failures()).isZero();
        }
    }

    private static boolean isSuccessAfter(long moment, Call call) {
        return call.status() == 200 && call.begin() > moment;
    }

    private static long firstSuccess(Collection<Call> calls, long moment) {
        return calls.stream()
                .filter(call -> isSuccessAfter(moment, call))
                .mapToLong(call -> Duration.ofNanos(call.end() - moment).toMillis())
                .min()
                .orElseThrow();
    }

    /** Fills the segments that are there already, until one more is needed. */
    private static void useUpTheLog(PostgresServer database) {
        await().atMost(Duration.ofSeconds(20)).until(() -> {
            try (Connection connection = database.connect();
                    Statement statement = connection.createStatement()) {
                for (int segment = 0; segment < 100; segment++) {
                    statement.execute("SELECT pg_logical_emit_message(true, 'fill', 'x'), pg_switch_wal()");
                }
                return false;
            } catch (SQLException e) {
                return true;
            }
        });
    }
}
