package dev.countersign.challenge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.challenge.RedeemHistory.Kind;
import dev.countersign.challenge.RedeemHistory.Outcome;
import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceProcess;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.random.RandomGenerator;
import java.util.random.RandomGenerator.SplittableGenerator;
import java.util.random.RandomGeneratorFactory;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.Test;

/** Random operations of many clients on tokens that they share, on two packaged services, judged by their history. */
class RedeemHistoryIT {

    private static final Logger LOG = Logger.getLogger(RedeemHistoryIT.class);

    private static final int CLIENTS = 32;
    private static final Duration AT_LEAST = Duration.ofSeconds(8);
    private static final int OPERATIONS = 8000;

    private final RedeemHistory history = new RedeemHistory(5);

    /** Few, so that many clients are at the same one. */
    private final AtomicReferenceArray<Token> longlived = new AtomicReferenceArray<>(16);

    /** Many, which wait for their expiry. */
    private final AtomicReferenceArray<Token> shortlived = new AtomicReferenceArray<>(128);

    private final AtomicInteger begun = new AtomicInteger();

    @Test
    void eachCodeWorksExactlyOnceInAnyHistory() throws Exception {
        long seed = Long.getLong("countersign.test.seed", System.nanoTime());
        LOG.infof("Random operations with -Dcountersign.test.seed=%d", seed);
        try (PostgresServer database = PostgresServer.start();
                ServiceProcess one = ServiceProcess.start(database);
                ServiceProcess two = ServiceProcess.start(database)) {
            database.execute("INSERT INTO app (app_id, ttl_seconds) VALUES ('longlived', 300), ('shortlived', 2)");
            run(List.of(one.baseUri(), two.baseUri()), seed);
        }
        LOG.infof(
                "operations: %s; expired unused %d; double redeems %d",
                history.summary(), history.expiredUnused(), history.doubleRedeems());
        assertThat(history.violations()).isEmpty();
        assertThat(history.doubleRedeems()).isZero();
        // Else it has judged nothing.
        assertThat(history.count(Kind.REDEEM, Outcome.DONE)).isGreaterThan(50);
        assertThat(history.count(Kind.REMOVE, Outcome.DONE)).isGreaterThan(50);
        assertThat(history.expiredUnused()).isGreaterThan(20);
    }

    private void run(List<URI> services, long seed) throws Exception {
        SplittableGenerator random = RandomGeneratorFactory.<SplittableGenerator>of("L64X128MixRandom")
                .create(seed);
        Instant until = Instant.now().plus(AT_LEAST);
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> running = new ArrayList<>();
            for (int client = 0; client < CLIENTS; client++) {
                URI service = services.get(client % services.size());
                RandomGenerator own = random.split();
                running.add(clients.submit(() -> operate(until, service, own)));
            }
            for (Future<?> client : running) {
                client.get();
            }
        }
    }

    private void operate(Instant until, URI service, RandomGenerator random) {
        try (RecordingClient client = new RecordingClient(service, history)) {
            while (begun.incrementAndGet() <= OPERATIONS || Instant.now().isBefore(until)) {
                if (random.nextInt(3) > 0) {
                    operateOnLonglived(client, random);
                } else {
                    operateOnShortlived(client, random);
                }
            }
        }
    }

    private void operateOnLonglived(RecordingClient client, RandomGenerator random) {
        int slot = random.nextInt(longlived.length());
        Token token = longlived.get(slot);
        int chance = random.nextInt(100);
        if (token == null || chance < 12) {
            client.create("longlived").ifPresent(created -> longlived.set(slot, created));
        } else {
            operate(client, token, chance, random);
        }
    }

    /** Only read until about its expiry, when everything happens to it; then another takes its place. */
    private void operateOnShortlived(RecordingClient client, RandomGenerator random) {
        int slot = random.nextInt(shortlived.length());
        Token token = shortlived.get(slot);
        if (token == null) {
            client.create("shortlived").ifPresent(created -> shortlived.set(slot, created));
            return;
        }
        long leftMillis = (RedeemHistory.expiry(UUID.fromString(token.session())) - RedeemHistory.now()) / 1_000_000;
        if (leftMillis < -200) {
            shortlived.compareAndSet(slot, token, null);
        } else if (leftMillis > 20) {
            client.read(token);
        } else {
            operate(client, token, random.nextInt(100), random);
        }
    }

    private static void operate(RecordingClient client, Token token, int chance, RandomGenerator random) {
        if (chance < 40) {
            client.read(token);
        } else if (chance < 65) {
            client.redeemWrongly(token);
        } else if (chance < 75) {
            client.redeem(token);
        } else if (chance < 90) {
            client.redeem(token, "try-" + random.nextInt(3));
        } else {
            client.remove(token);
        }
    }
}
