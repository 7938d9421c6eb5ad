package dev.countersign.challenge;

import dev.countersign.error.UnavailableException;
import dev.countersign.http.CallerContext;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * Lets concurrent callers share a round trip to the database. One thread does the round trips, and what queues while one
 * is in flight goes out with the next. Nobody waits for company: a lone question is asked at once.
 *
 * @param <Q> what a caller asks
 * @param <A> what it gets
 */
final class SharedRoundTrip<Q, A> {

    private static final Logger LOG = Logger.getLogger(SharedRoundTrip.class);
    private static final int MAX_BATCH = 256;
    private static final int MAX_QUEUED = 4096;

    private final Statement<Q, A> statement;
    private final long patienceNanos;
    private final BlockingQueue<Pending<Q, A>> queue = new LinkedBlockingQueue<>(MAX_QUEUED);
    private final Thread worker;
    private volatile boolean stopping;

    /** @param patience how long a caller waits; what has queued for longer is not asked any more */
    SharedRoundTrip(String name, Duration patience, Statement<Q, A> statement) {
        this.statement = statement;
        this.patienceNanos = patience.toNanos();
        this.worker = Thread.ofPlatform().name(name).daemon().start(this::work);
    }

    /**
     * The answer to a question, after the round trip that it shared, and the commit if there is one. It comes in the
     * context of the calling request.
     *
     * <p>It is an {@link UnavailableException} when the database failed, when too many wait already, or when this one
     * has waited too long; but for the second, what was asked may have happened all the same.
     */
    CompletableFuture<A> ask(Q question) {
        Pending<Q, A> pending = new Pending<>(question, new CompletableFuture<>(), System.nanoTime());
        if (stopping || !queue.offer(pending)) {
            return CompletableFuture.failedFuture(new UnavailableException("Too many requests are waiting"));
        }
        return CallerContext.resume(pending.answer);
    }

    /** Answers what is still queued, and takes no more. */
    void stop() throws InterruptedException {
        stopping = true;
        worker.join(TimeUnit.SECONDS.toMillis(5));
    }

    private void work() {
        List<Pending<Q, A>> batch = new ArrayList<>(MAX_BATCH);
        while (!stopping || !queue.isEmpty()) {
            try {
                Pending<Q, A> first = queue.poll(100, TimeUnit.MILLISECONDS);
                if (first != null) {
                    batch.add(first);
                    queue.drainTo(batch, MAX_BATCH - 1);
                    batch.removeIf(this::hasGivenUp);
                    answer(batch);
                }
            } catch (InterruptedException e) {
                stopping = true;
            } finally {
                batch.clear();
            }
        }
    }

    private boolean hasGivenUp(Pending<Q, A> pending) {
        return System.nanoTime() - pending.askedAt > patienceNanos
                && pending.answer.completeExceptionally(new UnavailableException("The database was not asked in time"));
    }

    private void answer(List<Pending<Q, A>> batch) {
        if (batch.isEmpty()) {
            return;
        }
        try {
            List<A> answers =
                    statement.execute(batch.stream().map(Pending::question).toList());
            for (int i = 0; i < batch.size(); i++) {
                batch.get(i).answer.complete(answers.get(i));
            }
        } catch (SQLException e) {
            if (isOfOneRow(e)) {
                LOG.debugf("A batch of %d was refused, asking again one by one", batch.size());
                batch.forEach(this::answerAlone);
            } else {
                fail(batch, e);
            }
        } catch (Throwable e) {
            // Not even an error may end this thread: nobody would ask any more, and nothing would tell.
            fail(batch, e);
        }
    }

    private void answerAlone(Pending<Q, A> pending) {
        try {
            pending.answer.complete(statement.execute(List.of(pending.question)).getFirst());
        } catch (Throwable e) {
            fail(List.of(pending), e);
        }
    }

    private static <Q, A> void fail(List<Pending<Q, A>> batch, Throwable cause) {
        UnavailableException failure = new UnavailableException("The database could not be asked", cause);
        batch.forEach(pending -> pending.answer.completeExceptionally(failure));
    }

    /**
     * SQLSTATE classes 22 and 23: one row's fault, or a row that was on its way to the default partition when the one that
     * it belongs to was attached; 40: a row that somebody else holds. Anything else is the connection's or the server's.
     */
    private static boolean isOfOneRow(SQLException e) {
        String state = e.getSQLState();
        return state != null && (state.startsWith("22") || state.startsWith("23") || state.startsWith("40"));
    }

    /** Asks several questions in one round trip, in a transaction of its own. */
    @FunctionalInterface
    interface Statement<Q, A> {

        /** The answers in the order of the questions, which are at least one. */
        List<A> execute(List<Q> questions) throws SQLException;
    }

    private record Pending<Q, A>(Q question, CompletableFuture<A> answer, long askedAt) {}
}
