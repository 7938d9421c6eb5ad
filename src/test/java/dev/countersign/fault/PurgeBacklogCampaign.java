package dev.countersign.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.countersign.fault.Load.Call;
import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceProcess;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.Test;

/**
 * Two replicas purge a default partition in which 10⁷ expired rows have piled up, or {@code -Dcountersign.purge.rows},
 * while clients create, redeem and remove.
 */
class PurgeBacklogCampaign {

    private static final Logger LOG = Logger.getLogger(PurgeBacklogCampaign.class);

    private static final int ROWS = Integer.getInteger("countersign.purge.rows", 10_000_000);
    private static final int CLIENTS = 8;
    private static final double CALLS_PER_SECOND = 50;

    private final Ledger ledger = new Ledger();

    @Test
    void backlogIsPurgedBesideTheCallersAndFailsNone() throws Exception {
        Map<String, String> settings = new HashMap<>(ServiceProcess.DEFAULT_TIMEOUTS);
        settings.put("countersign.purge.every", "1s");
        try (PostgresServer database = PostgresServer.start()) {
            migrate(database);
            pileUp(database);
            long begin = System.nanoTime();
            Collection<Call> calls;
            Duration took;
            try (ServiceProcess service = ServiceProcess.start(database, settings);
                    ServiceProcess _ = ServiceProcess.start(database, settings);
                    Load load = Load.startAtRate(service.baseUri(), CLIENTS, CALLS_PER_SECOND, ledger::call)) {
                await().atMost(Duration.ofHours(1))
                        .pollInterval(Duration.ofMillis(500))
                        .until(() -> database.ask("SELECT EXISTS (SELECT FROM challenge_session_default"
                                        + " WHERE expires_at <= now())::integer")
                                == 0);
                took = Duration.ofNanos(System.nanoTime() - begin);
                calls = load.stop();
                ledger.audit(service.baseUri());
            }
            long failed = calls.stream().filter(call -> call.status() != 200).count();
            long deadlocks = database.ask("SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'");
            LOG.infof(
                    "purge of %d rows by two replicas: %.1f s with their start, %d rows/s, deadlocks %d; requests %d,"
                            + " failed %d, longest reply %d ms; %s",
                    ROWS,
                    took.toMillis() / 1000.0,
                    ROWS * 1000L / took.toMillis(),
                    deadlocks,
                    calls.size(),
                    failed,
                    calls.stream().mapToLong(Call::millis).max().orElse(0),
                    ledger);
            assertThat(failed).isZero();
            assertThat(deadlocks).isZero();
            assertThat(ledger.lost()).isZero();
        }
    }

    private static void migrate(PostgresServer database) {
        assertThat(ServiceProcess.runToEnd(database, Map.of("quarkus.init-and-exit", "true"))
                        .exit())
                .isZero();
    }

    /** Of the past, for which there are no partitions. */
    private static void pileUp(PostgresServer database) {
        database.execute("INSERT INTO app (app_id, ttl_seconds) VALUES ('demo', 3600)");
        database.execute("""
                INSERT INTO challenge_session_default
                       (app_id, app_generation, session_id, key_id, salt, issued_to, created_at, expires_at)
                SELECT 'demo', 1, (lpad(to_hex(1600000000000 + n / 10), 12, '0')
                       || '80008' || lpad(to_hex(n), 15, '0'))::uuid,
                       'test', decode('00112233445566778899aabbccddeeff', 'hex'), 'tester',
                       to_timestamp(1600000000), to_timestamp(1600000000 + 300)
                  FROM generate_series(1, %d) n
                """.formatted(ROWS));
    }
}
