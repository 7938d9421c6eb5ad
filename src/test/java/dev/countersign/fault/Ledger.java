package dev.countersign.fault;

import static org.awaitility.Awaitility.await;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Reply;
import dev.countersign.support.ServiceClient.Token;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * What the service has acknowledged to many clients, and whether it still stands: a created token can be read, a
 * redeemed one can't be redeemed again but by the caller that repeats itself, a removed one is gone.
 */
final class Ledger {

    private static final String APP = "demo";
    private static final int AUDITORS = 16;

    /** Several times a cluster's {@code citus.recover_2pc_interval}. */
    private static final Duration RESOLUTION = Duration.ofSeconds(30);

    private final int waiting;
    private final Queue<Token> created = new ConcurrentLinkedQueue<>();
    private final Queue<Redeemed> redeemed = new ConcurrentLinkedQueue<>();
    private final Queue<Token> removed = new ConcurrentLinkedQueue<>();

    /** Redeems and removals without an answer: they may have happened or not. */
    private final Queue<Token> perhapsRedeemed = new ConcurrentLinkedQueue<>();

    private final Queue<Token> perhapsRemoved = new ConcurrentLinkedQueue<>();

    private final AtomicInteger creates = new AtomicInteger();
    private final AtomicInteger redeems = new AtomicInteger();
    private final AtomicInteger removals = new AtomicInteger();
    private final AtomicInteger lostCreates = new AtomicInteger();
    private final AtomicInteger lostRedeems = new AtomicInteger();
    private final AtomicInteger lostRemovals = new AtomicInteger();

    Ledger() {
        this(0);
    }

    /**
     * With a queue of tokens that nothing is done to yet.
     *
     * @param waiting how many, at least
     */
    Ledger(int waiting) {
        this.waiting = waiting;
    }

    /** Creates a token, or redeems or removes one that was created before; half of the time each. */
    Reply call(ServiceClient client) {
        RandomGenerator random = ThreadLocalRandom.current();
        Token token = created.size() > waiting && random.nextBoolean() ? created.poll() : null;
        if (token == null) {
            return create(client);
        }
        return random.nextBoolean() ? redeem(client, token) : remove(client, token);
    }

    private Reply create(ServiceClient client) {
        Reply reply = client.create(APP);
        if (reply.isSuccess()) {
            creates.incrementAndGet();
            created.add(Token.of(reply));
        }
        return reply;
    }

    private Reply redeem(ServiceClient client, Token token) {
        Reply reply = client.redeem(APP, token.session(), token.code(), key(token));
        switch (reply.status()) {
            case 200 -> {
                redeems.incrementAndGet();
                redeemed.add(new Redeemed(token, reply.body()));
            }
            case 404 -> missed(token);
            default -> perhapsRedeemed.add(token);
        }
        return reply;
    }

    private Reply remove(ServiceClient client, Token token) {
        Reply reply = client.remove(APP, token.session());
        switch (reply.status()) {
            case 200 -> {
                removals.incrementAndGet();
                removed.add(token);
            }
            case 404 -> missed(token);
            default -> perhapsRemoved.add(token);
        }
        return reply;
    }

    /** A token that was acknowledged and isn't there. On Citus it may only be hidden, which the audit finds out. */
    private void missed(Token token) {
        if (PostgresServer.isCitus()) {
            created.add(token);
        } else {
            lostCreates.incrementAndGet();
        }
    }

    /** Holds everything that was acknowledged so far against a service that must answer now, and then forgets it. */
    void audit(URI service) throws Exception {
        try (ExecutorService auditors = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < AUDITORS; i++) {
                running.add(auditors.submit(() -> {
                    try (ServiceClient client = new ServiceClient(service)) {
                        each(created, client, this::auditCreated);
                        each(perhapsRedeemed, client, this::settleRedeem);
                        each(perhapsRemoved, client, this::settleRemoval);
                        each(redeemed, client, this::auditRedeemed);
                        each(removed, client, this::auditRemoved);
                    }
                }));
            }
            for (Future<?> auditor : running) {
                auditor.get();
            }
        }
    }

    private static <T> void each(Queue<T> all, ServiceClient client, BiConsumer<ServiceClient, T> audit) {
        for (T one = all.poll(); one != null; one = all.poll()) {
            audit.accept(client, one);
        }
    }

    private void auditCreated(ServiceClient client, Token token) {
        count(
                lostCreates,
                !comes(
                        () -> client.read(APP, token.session()),
                        read -> read.isSuccess() && read.member("challengeCode").equals(token.code())));
    }

    private void auditRedeemed(ServiceClient client, Redeemed done) {
        Token token = done.token;
        Reply byAnother = answered(() -> client.redeem(APP, token.session(), token.code(), "another-" + key(token)));
        boolean repeated = comes(
                () -> client.redeem(APP, token.session(), token.code(), key(token)),
                reply -> reply.body().equals(done.reply));
        count(lostRedeems, byAnother.isSuccess() || !repeated);
    }

    private void auditRemoved(ServiceClient client, Token token) {
        count(lostRemovals, !comes(() -> client.read(APP, token.session()), read -> !read.isSuccess()));
    }

    /** As its caller does, to whom it is acknowledged now, whichever way it went. */
    private void settleRedeem(ServiceClient client, Token token) {
        AtomicReference<Reply> last = new AtomicReference<>();
        boolean done = comes(() -> client.redeem(APP, token.session(), token.code(), key(token)), reply -> {
            last.set(reply);
            return reply.isSuccess();
        });
        count(lostCreates, !done);
        redeemed.add(new Redeemed(token, last.get().body()));
    }

    private void settleRemoval(ServiceClient client, Token token) {
        Reply reply = answered(() -> client.remove(APP, token.session()));
        count(lostRemovals, answered(() -> client.read(APP, token.session())).isSuccess() && reply.isSuccess());
    }

    private static void count(AtomicInteger lost, boolean isLost) {
        lost.addAndGet(isLost ? 1 : 0);
    }

    /**
     * Whether the reply comes. On Citus, what was acknowledged may be hidden for a while after a crash, until the cluster
     * has resolved the transaction's second phase: it is lost if it stays hidden.
     */
    private static boolean comes(Supplier<Reply> call, Predicate<Reply> reply) {
        Instant deadline = Instant.now().plus(PostgresServer.isCitus() ? RESOLUTION : Duration.ZERO);
        do {
            if (reply.test(answered(call))) {
                return true;
            }
        } while (Instant.now().isBefore(deadline));
        return false;
    }

    /** A connection that died with the database may still cost a 504, which asks to try again. */
    private static Reply answered(Supplier<Reply> call) {
        return await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(100))
                .until(call::get, reply -> reply.status() == 200 || reply.status() == 404);
    }

    private static String key(Token token) {
        return "key-" + token.session();
    }

    int acknowledged() {
        return creates.get() + redeems.get() + removals.get();
    }

    int redeems() {
        return redeems.get();
    }

    int lost() {
        return lostCreates.get() + lostRedeems.get() + lostRemovals.get();
    }

    @Override
    public String toString() {
        return "acknowledged creates %d, lost %d; redeems %d, lost %d; removals %d, lost %d"
                .formatted(
                        creates.get(),
                        lostCreates.get(),
                        redeems.get(),
                        lostRedeems.get(),
                        removals.get(),
                        lostRemovals.get());
    }

    private record Redeemed(Token token, String reply) {}
}
