package dev.countersign.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Reply;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceProcess;
import java.sql.Connection;
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
    private static final String READY = "/q/health/ready";
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
            assertThat(service.probe(READY)).isEqualTo(200);

            stopping.set(true);
            service.startToStop();
            awaitNotReady(service);
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
        assertThat(database.ask("SELECT count(*) FROM challenge_session")).isEqualTo(before.size() + after.size());
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
            await().atMost(Duration.ofSeconds(10)).until(database::hasWaiters);

            service.startToStop();
            awaitNotReady(service);
            // More than a stop takes that waits for nobody.
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

    private static void awaitNotReady(ServiceProcess service) {
        await().pollInterval(Duration.ofMillis(50))
                .atMost(Duration.ofSeconds(10))
                .until(() -> service.probe(READY) != 200);
    }
}
