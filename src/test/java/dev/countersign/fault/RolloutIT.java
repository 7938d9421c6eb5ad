package dev.countersign.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.countersign.fault.Load.Call;
import dev.countersign.support.LoadBalancer;
import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.flywaydb.core.Flyway;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What docs/operations.md has an operator do while the service serves, with two replicas behind HAProxy and a constant
 * load: migrating to the schema of the next version, rotating a key, and for that replacing replicas one by one. Nobody's request
 * fails. The tokens that are redeemed or removed are some seconds old, so that they were made before the last step.
 */
class RolloutIT {

    private static final Logger LOG = Logger.getLogger(RolloutIT.class);

    private static final int CLIENTS = 16;
    private static final int CALLS_PER_SECOND = 100;
    private static final int WAITING_TOKENS = 200;
    private static final int ROTATIONS = Extent.times(1, 5);

    /** As the manifests set them, but for a shorter delay: HAProxy notices within a tenth of a second. */
    private static final Map<String, String> AS_DEPLOYED = Map.of(
            "quarkus.shutdown.delay", "PT1S",
            "quarkus.flyway.migrate-at-start", "false",
            "quarkus.flyway.validate-at-start", "true");

    private static final List<ServiceProcess> REPLICAS = new ArrayList<>();
    private static PostgresServer database;
    private static LoadBalancer balancer;

    /** The replica that is not being replaced. */
    private static volatile ServiceProcess serving;

    @BeforeAll
    static void start() throws IOException {
        database = PostgresServer.start();
        Map<String, String> settings = new HashMap<>(ServiceProcess.DEFAULT_TIMEOUTS);
        settings.putAll(AS_DEPLOYED);
        assertThat(ServiceProcess.runToEnd(
                                database,
                                Map.of("quarkus.init-and-exit", "true", "quarkus.flyway.migrate-at-start", "true"))
                        .exit())
                .isZero();
        database.execute("INSERT INTO app (app_id, ttl_seconds) VALUES ('demo', 3600)");
        REPLICAS.add(ServiceProcess.start(database, settings));
        REPLICAS.add(ServiceProcess.start(database, settings));
        serving = REPLICAS.getFirst();
        balancer = LoadBalancer.orSkip(REPLICAS);
    }

    @AfterAll
    static void stop() {
        if (balancer != null) {
            balancer.close();
        }
        REPLICAS.forEach(ServiceProcess::close);
        database.close();
    }

    @Test
    void migrationAndKeyRotationFailNobody() throws Exception {
        Ledger ledger = new Ledger(WAITING_TOKENS);
        Map<String, String> keys = new HashMap<>();
        Collection<Call> calls;
        long slackMillis;
        try (Load load = start(ledger);
                Liveness liveness = Liveness.watch(() -> serving)) {
            // From here on the replicas are of the version before, and start on the newer schema.
            migrateToTheNextVersion();
            String active = "test";
            keys.put("countersign.challenge.keys." + active, ServiceProcess.KEY);
            for (int rotation = 1; rotation <= ROTATIONS; rotation++) {
                String next = "k" + rotation;
                keys.put("countersign.challenge.keys." + next, ServiceProcess.randomKey());
                roll(Map.of("countersign.challenge.keys." + next, keys.get("countersign.challenge.keys." + next)));
                roll(Map.of("countersign.challenge.active-key", next));
                awaitEndOfTokensOf(active, load);
                roll(Map.of("countersign.challenge.keys." + active, ""));
                active = next;
            }
            calls = load.stop();
            slackMillis = liveness.longestMillis();
            assertThat(liveness.failures()).isZero();
        }
        List<Integer> failed =
                calls.stream().map(Call::status).filter(status -> status != 200).toList();
        // Before the audit, which can't judge a token that a failed request has left with a key that is gone.
        assertThat(failed)
                .as("statuses of failed requests, of %d", calls.size())
                .isEmpty();
        // The audit repeats each redeem, which takes the key that the token was made with.
        roll(keys);
        ledger.audit(balancer.baseUri());
        long longest = calls.stream().mapToLong(Call::millis).max().orElseThrow();
        LOG.infof(
                "schema of the next version, key rotations %d, rolling restarts of two replicas %d: requests %d at %d a"
                        + " second, failed %d, longest reply %d ms; %s",
                ROTATIONS, 3 * ROTATIONS, calls.size(), CALLS_PER_SECOND, failed.size(), longest, ledger);
        assertThat(longest).isLessThanOrEqualTo(Endurance.BUDGET_MILLIS + slackMillis);
        assertThat(ledger.lost()).isZero();
        assertThat(ledger.redeems()).isPositive();
    }

    private static Load start(Ledger ledger) {
        Load load = Load.startAtRate(balancer.baseUri(), CLIENTS, CALLS_PER_SECOND, ledger::call);
        await().until(() -> load.calls().size() > WAITING_TOKENS + CALLS_PER_SECOND);
        return load;
    }

    private static void roll(Map<String, String> settings) {
        for (int i = 0; i < REPLICAS.size(); i++) {
            serving = REPLICAS.get(REPLICAS.size() - 1 - i);
            REPLICAS.get(i).stop();
            REPLICAS.set(i, REPLICAS.get(i).startAgain(settings));
            balancer.awaitUp(i);
        }
    }

    /** A request that failed leaves its token, and fails the test soon. */
    private static void awaitEndOfTokensOf(String key, Load load) {
        await().atMost(Duration.ofSeconds(30))
                .until(() -> liveTokensOf(key) == 0 || load.calls().stream().anyMatch(call -> call.status() != 200));
    }

    private static long liveTokensOf(String key) throws SQLException {
        return database.ask("SELECT count(*) FROM challenge_session WHERE state = 'issued' AND key_id = '" + key + "'");
    }

    /**
     * It adds and takes nothing away, as is promised of every migration. It locks two tables in the order that deadlocks
     * with requests, which lock the session's table first, and stays between them until some wait.
     */
    private static void migrateToTheNextVersion() throws IOException {
        Path directory =
                Files.createDirectories(Path.of("target", "next-version").toAbsolutePath());
        Files.writeString(directory.resolve("V1000__add_what_the_next_version_needs.sql"), """
                ALTER TABLE app ADD COLUMN next_version text CHECK (length(next_version) < 100);
                SELECT pg_sleep(0.3);
                ALTER TABLE challenge_session ADD COLUMN next_version text NOT NULL DEFAULT 'none';
                CREATE TABLE next_version (id bigint PRIMARY KEY);
                """);
        Flyway.configure()
                .dataSource(database.jdbcUrl(), "postgres", "postgres")
                .locations("filesystem:src/main/resources/db/migration", "filesystem:" + directory)
                .load()
                .migrate();
    }
}
