package dev.countersign.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Reply;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceProcess;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A replica that Kubernetes stops with SIGTERM fails nobody. */
class GracefulStopIT {

    private static final Logger LOG = Logger.getLogger(GracefulStopIT.class);
    private static final int CLIENTS = 8;

    private static PostgresServer database;

    @BeforeAll
    static void startDatabase() {
        database = PostgresServer.start();
    }

    @AfterAll
    static void stopDatabase() {
        database.close();
    }

    @Test
    void stopUnderLoadFailsNoRequestOfALoadBalancerThatHeedsReadiness() throws Exception {
        Collection<Reply> before = new ConcurrentLinkedQueue<>();
        Collection<Reply> after = new ConcurrentLinkedQueue<>();
        AtomicBoolean stopping = new AtomicBoolean();
        AtomicBoolean drained = new AtomicBoolean();
        try (ServiceProcess service = start(Map.of("quarkus.shutdown.delay", "PT2S"));
                ExecutorService clients = Executors.newFixedThreadPool(CLIENTS)) {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                running.add(clients.submit(() -> {
                    try (ServiceClient client = new ServiceClient(service.baseUri())) {
                        while (!drained.get()) {
                            (stopping.get() ? after : before).add(client.create("demo"));
                        }
                    }
                }));
            }
            await().atMost(Duration.ofSeconds(20)).until(() -> before.size() > 20 * CLIENTS);
            assertThat(isReady(service)).isTrue();

            stopping.set(true);
            service.startToStop();
            await().pollInterval(Duration.ofMillis(50))
                    .atMost(Duration.ofSeconds(10))
                    .until(() -> !isReady(service));
            // What the load balancer takes to act on it.
            Thread.sleep(500);
            drained.set(true);
            for (Future<?> client : running) {
                client.get();
            }
        }
        assertThat(before).allMatch(Reply::isSuccess);
        assertThat(after).isNotEmpty().allMatch(Reply::isSuccess);
        // Each was durable when it was acknowledged.
        assertThat(rows()).isEqualTo(before.size() + after.size());
        LOG.infof("replies before SIGTERM %d and after it %d, none of them a failure", before.size(), after.size());
    }

    @Test
    void requestThatIsInFlightAtSigtermGetsItsReply() throws Exception {
        // Without a delay: nothing but the timeout protects it.
        try (ServiceProcess service = start(Map.of());
                ServiceClient client = new ServiceClient(service.baseUri());
                ExecutorService background = Executors.newSingleThreadExecutor();
                Connection holdUp = database.connect();
                Statement statement = holdUp.createStatement()) {
            Token token = Token.of(client.create("demo"));
            holdUp.setAutoCommit(false);
            statement.execute("SELECT FROM challenge_session FOR UPDATE");
            Future<Reply> redeem = background.submit(() -> client.redeem("demo", token.session(), token.code()));
            await().atMost(Duration.ofSeconds(10)).until(GracefulStopIT::somebodyWaits);

            service.startToStop();
            Thread.sleep(500);
            holdUp.commit();

            assertThat(redeem.get().isSuccess()).as(redeem.get().toString()).isTrue();
        }
    }

    private static ServiceProcess start(Map<String, String> settings) {
        ServiceProcess service = ServiceProcess.start(database, settings);
        database.execute("INSERT INTO app (app_id) VALUES ('demo') ON CONFLICT DO NOTHING");
        database.execute("DELETE FROM challenge_session");
        return service;
    }

    private static boolean isReady(ServiceProcess service) throws IOException {
        HttpURLConnection probe = (HttpURLConnection)
                service.managementUri().resolve("/q/health/ready").toURL().openConnection();
        return probe.getResponseCode() == 200;
    }

    private static boolean somebodyWaits() throws SQLException {
        return ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") > 0;
    }

    private static long rows() throws SQLException {
        return ask("SELECT count(*) FROM challenge_session");
    }

    private static long ask(String sql) throws SQLException {
        try (Connection connection = database.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        }
    }
}
