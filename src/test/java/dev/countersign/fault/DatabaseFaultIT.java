package dev.countersign.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceProcess;
import dev.countersign.support.TcpProxy;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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

    private static final Duration FAULT = Duration.ofSeconds(6);

    /** The request's budget and half a second. */
    private static final long LONGEST_REPLY_MILLIS = 2500;

    private static final List<Function<ServiceClient, ServiceClient.Reply>> WRITES =
            List.of(client -> client.create("demo"), client -> client.remove("demo", SESSION));

    private static final List<Function<ServiceClient, ServiceClient.Reply>> CALLS = List.of(
            WRITES.get(0),
            WRITES.get(1),
            client -> client.read("demo", SESSION),
            client -> client.redeem("demo", SESSION, "x"));

    private static PostgresServer database;
    private static TcpProxy network;
    private static ServiceProcess service;

    @BeforeAll
    static void start() {
        database = PostgresServer.start();
        network = TcpProxy.to(database.port());
        Map<String, String> settings = new HashMap<>(ServiceProcess.DEFAULT_TIMEOUTS);
        settings.put("quarkus.datasource.jdbc.url", PostgresServer.jdbcUrl(network.port()));
        service = ServiceProcess.start(database, settings);
        database.execute("INSERT INTO app (app_id) VALUES ('demo')");
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
    void databaseThatIsGoneGives504WithinTheBudget() throws Exception {
        assertFailsCleanly("gone", network::refuse, network::heal);
    }

    @Test
    void databaseOutOfReachGives504WithinTheBudget() throws Exception {
        assertFailsCleanly("out of reach", network::blackHole, network::heal);
    }

    @Test
    void frozenDatabaseGives504WithinTheBudget() throws Exception {
        assertFailsCleanly("frozen", database::freeze, database::thaw);
    }

    /** A read may still be answered: what it says is true. */
    @Test
    void readOnlyDatabaseGivesWrites504WithinTheBudget() throws Exception {
        assertFailsCleanly("read-only", WRITES, () -> readOnly("on"), () -> readOnly("off"));
    }

    private static void assertFailsCleanly(String name, Runnable fault, Runnable repair) throws Exception {
        assertFailsCleanly(name, CALLS, fault, repair);
    }

    private static void assertFailsCleanly(
            String name, List<Function<ServiceClient, ServiceClient.Reply>> calls, Runnable fault, Runnable repair)
            throws Exception {
        List<long[]> replies = new ArrayList<>();
        List<Integer> liveness = new ArrayList<>();
        // What a busy machine takes for a reply that needs nothing at all.
        long slack = 0;
        long settled = System.nanoTime() + Duration.ofSeconds(3).toNanos();
        fault.run();
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            long end = System.nanoTime() + FAULT.toNanos();
            List<Future<List<long[]>>> running = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                Function<ServiceClient, ServiceClient.Reply> call = calls.get(i % calls.size());
                running.add(clients.submit(() -> callUntil(end, call)));
            }
            while (System.nanoTime() < end) {
                long begin = System.nanoTime();
                liveness.add(probe("/q/health/live"));
                slack = Math.max(slack, (System.nanoTime() - begin) / 1_000_000);
                Thread.sleep(200);
            }
            for (Future<List<long[]>> client : running) {
                replies.addAll(client.get());
            }
        } finally {
            assertThat(probe("/q/health/ready")).isEqualTo(503);
            repair.run();
        }
        long recovery = timeToRecover();
        long longest = replies.stream().mapToLong(reply -> reply[1]).max().orElseThrow();
        long odd = replies.stream()
                .filter(reply -> reply[0] != 504 && (reply[2] > settled || reply[0] == 0))
                .count();
        LOG.infof(
                "database %s: %d requests, longest reply %d ms, replies other than 504 %d, liveness failures %d of %d,"
                        + " recovered after %d ms",
                name,
                replies.size(),
                longest,
                odd,
                liveness.stream().filter(status -> status != 200).count(),
                liveness.size(),
                recovery);
        assertThat(longest).isLessThanOrEqualTo(LONGEST_REPLY_MILLIS + slack);
        assertThat(odd).isZero();
        assertThat(liveness).containsOnly(200);
    }

    /** Status, milliseconds, and when it began. */
    private static List<long[]> callUntil(long end, Function<ServiceClient, ServiceClient.Reply> call) {
        List<long[]> replies = new ArrayList<>();
        try (ServiceClient client = new ServiceClient(service.baseUri())) {
            while (System.nanoTime() < end) {
                long begin = System.nanoTime();
                int status = call.apply(client).status();
                replies.add(new long[] {status, (System.nanoTime() - begin) / 1_000_000, begin});
            }
        }
        return replies;
    }

    private static long timeToRecover() {
        long begin = System.nanoTime();
        try (ServiceClient client = new ServiceClient(service.baseUri())) {
            await().atMost(Duration.ofSeconds(15))
                    .pollInterval(Duration.ofMillis(50))
                    .until(() -> client.create("demo").status() == 200);
        }
        return (System.nanoTime() - begin) / 1_000_000;
    }

    private static int probe(String path) throws IOException {
        URI probe = service.managementUri().resolve(path);
        HttpURLConnection connection = (HttpURLConnection) probe.toURL().openConnection();
        connection.setConnectTimeout(1000);
        connection.setReadTimeout((int) LONGEST_REPLY_MILLIS);
        return connection.getResponseCode();
    }

    private static void readOnly(String value) {
        database.execute("ALTER SYSTEM SET default_transaction_read_only = " + value);
        database.execute("SELECT pg_reload_conf()");
    }
}
