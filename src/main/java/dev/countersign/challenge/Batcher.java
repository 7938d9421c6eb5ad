package dev.countersign.challenge;

import dev.countersign.error.UnavailableException;
import dev.countersign.http.CallerContext;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Lets concurrent callers share a statement. One thread asks, and what queues meanwhile goes out with the next statement; a
 * lone question is asked at once. A question whose caller would be gone before the database gives up is never asked.
 *
 * <p>A statement that the database refuses for the sake of one row is taken apart: its questions are asked one by one, those
 * about one row after each other and those about different rows side by side, while others go on sharing statements.
 *
 * @param <Q> what a caller asks
 * @param <A> what it gets
 */
final class Batcher<Q, A> {

    private static final Logger LOG = Logger.getLogger(Batcher.class);
    private static final int MAX_BATCH = 256;
    private static final int MAX_WAITING = 4096;

    /** Of the pool's 16; the five batchers then leave one, with all their rows locked. */
    private static final int MAX_ALONE = 2;

    private final String name;
    private final Duration statementTimeout;
    private final Database database;
    private final Function<Q, Object> row;
    private final Function<List<Q>, List<A>> statement;
    private final DistributionSummary sizes;
    private final BlockingQueue<Pending<Q, A>> queue = new LinkedBlockingQueue<>();
    private final Map<Object, Deque<Pending<Q, A>>> alone = new HashMap<>();
    private final Semaphore connectionsForAlone = new Semaphore(MAX_ALONE);
    private final AtomicInteger waiting = new AtomicInteger();
    private final Thread worker;
    private volatile boolean stopping;

    /**
     * @param statementTimeout when the database gives up by itself
     * @param row which row a question is about
     * @param statement answers questions, at least one, in their order, and in a transaction of its own
     */
    Batcher(
            String name,
            Duration statementTimeout,
            MeterRegistry metrics,
            Database database,
            Function<Q, Object> row,
            Function<List<Q>, List<A>> statement) {
        this.name = name;
        this.statementTimeout = statementTimeout;
        this.database = database;
        this.row = row;
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
     * The answer to a question, after the statement that it shared, and the commit if there is one. It comes in the context
     * of the calling request.
     *
     * <p>It is an {@link UnavailableException} when the database failed, when too many wait already, or when the time is
     * over; only in the first case may have happened what was asked.
     *
     * @param deadline when the caller gives up, in {@link System#nanoTime}
     */
    CompletableFuture<A> ask(Q question, long deadline) {
        Pending<Q, A> pending = new Pending<>(question, new CompletableFuture<>(), System.nanoTime(), deadline);
        if (stopping || waiting.get() >= MAX_WAITING) {
            return CompletableFuture.failedFuture(new UnavailableException("Too many requests are waiting"));
        }
        waiting.incrementAndGet();
        var _ = pending.answer.whenComplete((_, _) -> waiting.decrementAndGet());
        queue.add(pending);
        return CallerContext.resume(pending.answer);
    }

    /** Answers what is still queued, and takes no more. */
    void stop() throws InterruptedException {
        stopping = true;
        worker.join(TimeUnit.SECONDS.toMillis(5));
        // Those that are asked alone have threads of their own.
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
            database.run(() -> {
                // Now that there is a connection, as it may have taken its time.
                queue.drainTo(batch, MAX_BATCH - batch.size());
                batch.removeIf(pending -> isLate(pending) || joinsOthersAboutItsRow(pending));
                if (!batch.isEmpty()) {
                    sizes.record(batch.size());
                    answer(batch);
                }
            });
        } catch (Throwable e) {
            // Not even an error may end this thread: nobody would ask any more, and nothing would tell.
            if (isOfOneRow(e)) {
                LOG.debugf("A batch of %d was refused, asking one by one: %s", batch.size(), e.getMessage());
                batch.forEach(this::askAlone);
            } else {
                fail(batch, e);
            }
        }
    }

    private void answer(List<Pending<Q, A>> batch) {
        List<A> answers = statement.apply(batch.stream().map(Pending::question).toList());
        for (int i = 0; i < batch.size(); i++) {
            batch.get(i).answer.complete(answers.get(i));
        }
    }

    private boolean isLate(Pending<Q, A> pending) {
        return pending.deadline - System.nanoTime() < statementTimeout.toNanos()
                && pending.answer.completeExceptionally(new UnavailableException("The database was not asked in time"));
    }

    private boolean joinsOthersAboutItsRow(Pending<Q, A> pending) {
        synchronized (alone) {
            Deque<Pending<Q, A>> others = alone.get(row.apply(pending.question));
            return others != null && others.add(pending);
        }
    }

    private void askAlone(Pending<Q, A> pending) {
        if (!joinsOthersAboutItsRow(pending)) {
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
                database.run(() -> {
                    if (!isLate(pending)) {
                        answer(List.of(pending));
                    }
                });
            } catch (Throwable e) {
                if (!isOfALock(e)) {
                    fail(List.of(pending), e);
                }
            } finally {
                connectionsForAlone.release();
            }
        }
    }

    private static <Q, A> void fail(List<Pending<Q, A>> batch, Throwable cause) {
        UnavailableException failure = new UnavailableException("The database could not be asked", cause);
        batch.forEach(pending -> pending.answer.completeExceptionally(failure));
    }

    /**
     * SQLSTATE classes 22 and 23: one row's fault, or a row that was on its way to the default partition when the one that
     * it belongs to was attached. Anything else, but for a lock, is the connection's or the server's.
     */
    private static boolean isOfOneRow(Throwable e) {
        String state = sqlState(e);
        return state.startsWith("22") || state.startsWith("23") || isOfALock(e);
    }

    /** Class 40: a deadlock; lock_timeout; and statement_timeout, which several waits together may reach first. */
    private static boolean isOfALock(Throwable e) {
        String state = sqlState(e);
        return state.startsWith("40") || state.equals("55P03") || state.equals("57014");
    }

    private static String sqlState(Throwable e) {
        for (Throwable cause = e; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLException refusal && refusal.getSQLState() != null) {
                return refusal.getSQLState();
            }
        }
        return "";
    }

    /** Does work that has a connection from its beginning on. */
    @FunctionalInterface
    interface Database {
        void run(Runnable work);
    }

    private record Pending<Q, A>(Q question, CompletableFuture<A> answer, long askedAt, long deadline) {}
}
