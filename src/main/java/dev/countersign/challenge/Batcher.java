package dev.countersign.challenge;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toList;

import dev.countersign.error.UnavailableException;
import dev.countersign.http.RequestVertxContext;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Lets concurrent callers share a statement. One thread sends the statements. Questions that queue while a statement
 * runs share the next one; a lone question is sent at once. A question is never sent if its caller would give up before
 * the database does.
 *
 * <p>When the database refuses a statement because of one row, its questions are asked one by one: in sequence for the
 * same row, in parallel for different rows. Other questions go on sharing statements.
 *
 * @param <Q> the type of the questions
 * @param <A> the type of the answers
 */
final class Batcher<Q, A> {

    private static final Logger LOG = Logger.getLogger(Batcher.class);
    private static final int MAX_BATCH = 256;
    private static final int MAX_WAITING = 4096;

    /**
     * Connections for questions that are asked alone. At worst, each of the five batchers uses 3 connections (these 2
     * and the one for shared statements), which leaves 1 of the pool's 16.
     */
    private static final int MAX_ALONE = 2;

    private final String name;
    private final Duration statementTimeout;
    private final Executor database;
    private final Function<Q, Object> row;
    private final Function<Q, String> group;
    private final Function<List<Q>, List<A>> statement;
    private final DistributionSummary sizes;
    private final BlockingQueue<Pending<Q, A>> queue = new LinkedBlockingQueue<>();
    private final Map<Object, Deque<Pending<Q, A>>> alone = new HashMap<>();
    private final Semaphore connectionsForAlone = new Semaphore(MAX_ALONE);
    private final AtomicInteger waiting = new AtomicInteger();
    private final Thread worker;
    private volatile boolean stopping;

    /**
     * @param statementTimeout when the database gives up a statement
     * @param database runs work on the calling thread, and holds a connection from its beginning
     * @param row returns the row that a question is about
     * @param group tells which questions of a batch may share a statement: those for which it is the same
     * @param statement answers questions, at least one, in their order, in a transaction of its own
     */
    Batcher(
            String name,
            Duration statementTimeout,
            MeterRegistry metrics,
            Executor database,
            Function<Q, Object> row,
            Function<Q, String> group,
            Function<List<Q>, List<A>> statement) {
        this.name = name;
        this.statementTimeout = statementTimeout;
        this.database = database;
        this.row = row;
        this.group = group;
        this.statement = statement;
        this.sizes = DistributionSummary.builder("countersign.batch.size")
                .description("Questions that shared a statement")
                .tag("statement", name)
                .register(metrics);
        Gauge.builder("countersign.batch.queue", waiting::get)
                .description("Questions without an answer, those that are being asked included")
                .tag("statement", name)
                .register(metrics);
        Gauge.builder("countersign.batch.age.seconds", this::ageSeconds)
                .description("How long the first question of the queue has waited to be asked")
                .tag("statement", name)
                .register(metrics);
        this.worker = Thread.ofPlatform().name("batch-" + name).daemon().start(this::work);
    }

    /**
     * Asks a question. The answer comes after the shared statement and its commit, if there is one, in the context of
     * the calling request.
     *
     * <p>The future fails with {@link UnavailableException} when the database failed, when too many questions wait,
     * when the deadline is too near, or when the service is stopping. Only when the database failed may the statement
     * have taken effect.
     *
     * @param deadline when the caller gives up, in {@link System#nanoTime}
     */
    CompletableFuture<A> ask(Q question, long deadline) {
        Pending<Q, A> pending = new Pending<>(question, new CompletableFuture<>(), System.nanoTime(), deadline);
        if (stopping) {
            return CompletableFuture.failedFuture(new UnavailableException("The service is stopping"));
        } else if (waiting.get() >= MAX_WAITING) {
            return CompletableFuture.failedFuture(new UnavailableException("Too many requests are waiting"));
        }
        waiting.incrementAndGet();
        var _ = pending.answer.whenComplete((_, _) -> waiting.decrementAndGet());
        queue.add(pending);
        return RequestVertxContext.resume(pending.answer);
    }

    /** Takes no more questions and waits until the queued ones are answered, for at most 7 seconds. */
    void stop() throws InterruptedException {
        stopping = true;
        worker.join(TimeUnit.SECONDS.toMillis(5));
        // Questions that are asked alone run on threads of their own.
        for (int i = 0; waiting.get() > 0 && i < 100; i++) {
            Thread.sleep(20);
        }
    }

    private double ageSeconds() {
        Pending<Q, A> first = queue.peek();
        return first == null ? 0 : (System.nanoTime() - first.askedAt) / 1e9;
    }

    private void work() {
        while (!stopping || !queue.isEmpty()) {
            try {
                Pending<Q, A> first = queue.poll(100, TimeUnit.MILLISECONDS);
                if (first != null) {
                    askTogether(first);
                }
            } catch (InterruptedException e) {
                stopping = true;
            }
        }
    }

    private void askTogether(Pending<Q, A> first) {
        List<Pending<Q, A>> batch = new ArrayList<>();
        batch.add(first);
        queue.drainTo(batch, MAX_BATCH - 1);
        try {
            database.execute(() -> {
                // The wait for a connection may have been long, so take what queued meanwhile.
                queue.drainTo(batch, MAX_BATCH - batch.size());
                var groups = groups(batch);
                // From here on, each group handles its own failures. The outer catch must not fail these questions:
                // other threads may still be asking some.
                batch.clear();
                groups.forEach(this::askGroup);
            });
        } catch (Throwable e) {
            // Not even an Error may end this thread: questions would go unanswered, and nothing would report it.
            fail(batch, e);
        }
    }

    private Collection<List<Pending<Q, A>>> groups(List<Pending<Q, A>> batch) {
        return batch.stream()
                .collect(groupingBy(pending -> group.apply(pending.question), LinkedHashMap::new, toList()))
                .values();
    }

    private void askGroup(List<Pending<Q, A>> pending) {
        pending.removeIf(one -> failIfLate(one) || queueBehindSameRow(one));
        if (pending.isEmpty()) {
            return;
        }
        sizes.record(pending.size());
        try {
            answer(pending);
        } catch (Throwable e) {
            // Not even an Error may end this thread.
            if (isOfOneRow(e)) {
                LOG.debugf("A batch of %d was refused, asking one by one: %s", pending.size(), e.getMessage());
                pending.forEach(this::askAlone);
            } else {
                fail(pending, e);
            }
        }
    }

    private void answer(List<Pending<Q, A>> batch) {
        List<A> answers = statement.apply(batch.stream().map(Pending::question).toList());
        for (int i = 0; i < batch.size(); i++) {
            batch.get(i).answer.complete(answers.get(i));
        }
    }

    private boolean failIfLate(Pending<Q, A> pending) {
        return pending.deadline - System.nanoTime() < statementTimeout.toNanos()
                && pending.answer.completeExceptionally(new UnavailableException("The database was not asked in time"));
    }

    private boolean queueBehindSameRow(Pending<Q, A> pending) {
        synchronized (alone) {
            Deque<Pending<Q, A>> others = alone.get(row.apply(pending.question));
            return others != null && others.add(pending);
        }
    }

    private void askAlone(Pending<Q, A> pending) {
        if (!queueBehindSameRow(pending)) {
            Object its = row.apply(pending.question);
            Deque<Pending<Q, A>> about = new ArrayDeque<>(List.of(pending));
            synchronized (alone) {
                alone.put(its, about);
            }
            Thread.ofVirtual().name("batch-" + name + "-alone").start(() -> {
                for (Pending<Q, A> next = pending; next != null; next = afterFirst(its, about)) {
                    askUntilAnswered(next);
                }
            });
        }
    }

    private @Nullable Pending<Q, A> afterFirst(Object its, Deque<Pending<Q, A>> about) {
        synchronized (alone) {
            about.remove();
            if (about.isEmpty()) {
                alone.remove(its);
            }
            return about.peek();
        }
    }

    private void askUntilAnswered(Pending<Q, A> pending) {
        while (!pending.answer.isDone()) {
            connectionsForAlone.acquireUninterruptibly();
            try {
                database.execute(() -> {
                    if (!failIfLate(pending)) {
                        answer(List.of(pending));
                    }
                });
            } catch (Throwable e) {
                if (!isRetryable(e)) {
                    fail(List.of(pending), e);
                }
            } finally {
                connectionsForAlone.release();
            }
        }
    }

    private static <Q, A> void fail(List<Pending<Q, A>> batch, Throwable cause) {
        UnavailableException failure = new UnavailableException("The database statement failed", cause);
        batch.forEach(pending -> pending.answer.completeExceptionally(failure));
    }

    /**
     * Whether one row caused the failure: SQLSTATE class 22 or 23, or a wait for a lock. Class 23 includes a row that
     * was on its way to the default partition when its own partition was attached. Any other failure is the
     * connection's or the server's.
     */
    private static boolean isOfOneRow(Throwable e) {
        String state = sqlState(e);
        return state.startsWith("22") || state.startsWith("23") || isRetryable(e);
    }

    /**
     * Whether to ask again: after a deadlock (class 40), after lock_timeout, and after statement_timeout, which several
     * waits for locks may reach together. Also after a division by zero: the row expired during the wait
     * ({@link ChallengeSessionRepository#REDEEM}); asked again, the database finds no live row.
     */
    private static boolean isRetryable(Throwable e) {
        String state = sqlState(e);
        return state.startsWith("40") || Set.of("55P03", "57014", "22012").contains(state);
    }

    private static String sqlState(Throwable e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException refusal && refusal.getSQLState() != null) {
                return refusal.getSQLState();
            }
        }
        return "";
    }

    private record Pending<Q, A>(Q question, CompletableFuture<A> answer, long askedAt, long deadline) {}
}
