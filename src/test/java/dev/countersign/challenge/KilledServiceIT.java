package dev.countersign.challenge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.countersign.challenge.RedeemHistory.Outcome;
import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.Test;

/** The service killed with SIGKILL in the middle of redeems, again and again, and what its next start finds. */
class KilledServiceIT {

    private static final Logger LOG = Logger.getLogger(KilledServiceIT.class);

    private static final int KILLS = 10;
    private static final int CLIENTS = 32;
    private static final int CODES = 96;

    /** So many callers race for each code, each with an idempotency key of its own. */
    private static final int CALLERS = 4;

    private final RedeemHistory history = new RedeemHistory(5);
    private final AtomicInteger acknowledged = new AtomicInteger();
    private final AtomicInteger interrupted = new AtomicInteger();
    private final AtomicInteger stuck = new AtomicInteger();

    @Test
    void eachCodeWorksExactlyOnceThoughTheServiceIsKilledMeanwhile() throws Exception {
        RandomGenerator random = RandomGenerator.getDefault();
        try (PostgresServer database = PostgresServer.start()) {
            ServiceProcess service = ServiceProcess.start(database);
            database.execute("INSERT INTO app (app_id, ttl_seconds) VALUES ('demo', 3600)");
            for (int kill = 0; kill < KILLS; kill++) {
                List<Token> tokens = create(service);
                redeemUntilKilled(service, tokens, random.nextInt(CODES * (CALLERS - 1)));
                service = ServiceProcess.start(database);
                settle(service, tokens);
            }
            service.close();
        }
        LOG.infof(
                "kills %d, codes %d, redeems acknowledged before a kill %d, redeems without a reply %d,"
                        + " double redeems %d, stuck rows %d",
                KILLS, KILLS * CODES, acknowledged.get(), interrupted.get(), history.doubleRedeems(), stuck.get());
        assertThat(history.violations()).isEmpty();
        assertThat(history.doubleRedeems()).isZero();
        assertThat(stuck).hasValue(0);
        // Else no kill came in the middle.
        assertThat(interrupted.get()).isPositive();
    }

    private List<Token> create(ServiceProcess service) {
        try (RecordingClient client = new RecordingClient(service.baseUri(), history)) {
            return Stream.generate(() -> client.create("demo").orElseThrow())
                    .limit(CODES)
                    .toList();
        }
    }

    private void redeemUntilKilled(ServiceProcess service, List<Token> tokens, int replies) throws Exception {
        AtomicInteger begun = new AtomicInteger();
        AtomicInteger ended = new AtomicInteger();
        together(
                service,
                client -> {
                    Outcome outcome = Outcome.REFUSED;
                    for (int i = begun.getAndIncrement();
                            i < CODES * CALLERS && outcome != Outcome.UNKNOWN;
                            i = begun.getAndIncrement()) {
                        outcome = client.redeem(tokens.get(i / CALLERS), "caller-" + i % CALLERS);
                        (outcome == Outcome.UNKNOWN ? interrupted : ended).incrementAndGet();
                        acknowledged.addAndGet(outcome == Outcome.DONE ? 1 : 0);
                    }
                },
                () -> {
                    await().pollInterval(Duration.ofMillis(1)).until(() -> ended.get() >= replies);
                    service.kill();
                });
    }

    /** Every caller repeats itself: one of them has won, or wins now; and nobody after it. */
    private void settle(ServiceProcess service, List<Token> tokens) throws Exception {
        Queue<Token> unsettled = new ConcurrentLinkedQueue<>(tokens);
        together(
                service,
                client -> {
                    for (Token token = unsettled.poll(); token != null; token = unsettled.poll()) {
                        int wins = 0;
                        for (int caller = 0; caller < CALLERS; caller++) {
                            wins += redeemUntilAnswered(client, token, "caller-" + caller) == Outcome.DONE ? 1 : 0;
                        }
                        stuck.addAndGet(wins == 0 ? 1 : 0);
                        client.redeem(token, "nobody-before");
                    }
                },
                () -> {});
    }

    /** As a caller does that got no reply, or was told to try again. */
    private static Outcome redeemUntilAnswered(RecordingClient client, Token token, String caller) {
        Outcome outcome = Outcome.UNKNOWN;
        for (int tries = 0; tries < 10 && outcome == Outcome.UNKNOWN; tries++) {
            outcome = client.redeem(token, caller);
        }
        return outcome;
    }

    private void together(ServiceProcess service, Consumer<RecordingClient> work, Runnable meanwhile) throws Exception {
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                running.add(clients.submit(() -> {
                    try (RecordingClient client = new RecordingClient(service.baseUri(), history)) {
                        work.accept(client);
                    }
                }));
            }
            meanwhile.run();
            for (Future<?> client : running) {
                client.get();
            }
        }
    }
}
