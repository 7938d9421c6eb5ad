package dev.countersign.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Reply;
import dev.countersign.support.ServiceProcess;
import dev.countersign.support.TcpProxy;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The database gone, frozen, out of reach or read-only: every request gets a 504 within its budget, the service stays
 * alive, and it recovers by itself.
 */
class DatabaseFaultIT {

    private static final Logger LOG = Logger.getLogger(DatabaseFaultIT.class);

    private static final String SESSION = "019ab3f2-6c40-8f21-9d3e-5a0c7b1e2f43";

    /** More than the pool has connections. */
    private static final int CLIENTS = 40;

    private static final Duration FAULT = Extent.seconds(5, 30);

    private static final List<Function<ServiceClient, Reply>> WRITES =
            List.of(client -> client.create("demo"), client -> client.remove("demo", SESSION));

    private static final List<Function<ServiceClient, Reply>> CALLS = List.of(
            WRITES.get(0),
            WRITES.get(1),
            client -> client.read("demo", SESSION),
            client -> client.redeem("demo", SESSION, "x"));

    private static PostgresServer database;
    private static TcpProxy network;
    private static ServiceProcess service;
    private static ServiceLevel level;

    @BeforeAll
    static void start() {
        database = PostgresServer.start();
        network = TcpProxy.to(database.port());
        Map<String, String> settings = new HashMap<>(ServiceProcess.DEFAULT_TIMEOUTS);
        settings.put("quarkus.datasource.jdbc.url", PostgresServer.jdbcUrl(network.port()));
        service = ServiceProcess.start(database, settings);
        database.execute("INSERT INTO app (app_id) VALUES ('demo')");
        level = ServiceLevel.onceUsed(service, CLIENTS, CALLS);
    }

    @AfterAll
    static void stop() {
        service.close();
        network.close();
        database.close();
    }

    @BeforeEach
    void warmUp() {
        try (ServiceClient client = new ServiceClient(service.baseUri())) {
            await().atMost(Duration.ofSeconds(20))
                    .until(() ->
                            CALLS.stream().allMatch(call -> call.apply(client).status() < 500));
        }
    }

    @Test
    void databaseThatIsGoneGives504WithinTheBudget() {
        assertFailsCleanly("gone", network::refuse, network::heal);
    }

    @Test
    void databaseOutOfReachGives504WithinTheBudget() {
        assertFailsCleanly("out of reach", network::blackHole, network::heal);
    }

    @Test
    void frozenDatabaseGives504WithinTheBudget() {
        assertFailsCleanly("frozen", database::freeze, database::thaw);
    }

    /** A read may still be answered: what it says is true. */
    @Test
    void readOnlyDatabaseGivesWrites504WithinTheBudget() {
        assertFailsCleanly("read-only", WRITES, () -> readOnly("on"), () -> readOnly("off"));
    }

    private static void assertFailsCleanly(String name, Runnable fault, Runnable repair) {
        assertFailsCleanly(name, CALLS, fault, repair);
    }

    private static void assertFailsCleanly(
            String name, List<Function<ServiceClient, Reply>> calls, Runnable fault, Runnable repair) {
        Endurance endured = Endurance.of(service, level, CLIENTS, calls, FAULT, fault, repair);
        long settled = endured.began() + Duration.ofSeconds(3).toNanos();
        long odd = endured.calls().stream()
                .filter(call -> call.status() != 504 && call.begin() > settled)
                .count();
        LOG.infof("database %s for %d s: replies other than 504 %d, %s", name, FAULT.toSeconds(), odd, endured);
        endured.assertThatNobodyHung();
        assertThat(odd).isZero();
        assertThat(endured.readiness()).isEqualTo(503);
    }

    private static void readOnly(String value) {
        database.execute("ALTER SYSTEM SET default_transaction_read_only = " + value);
        database.execute("SELECT pg_reload_conf()");
    }
}
