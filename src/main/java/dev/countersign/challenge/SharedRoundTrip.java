package dev.countersign.challenge;

import dev.countersign.error.UnavailableException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
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
    private final BlockingQueue<Pending<Q, A>> queue = new ArrayBlockingQueue<>(MAX_QUEUED);
    private final Thread worker;
    private volatile boolean stopping;

    SharedRoundTrip(String name, Statement<Q, A> statement) {
        this.statement = statement;
        this.worker = Thread.ofPlatform().name(name).daemon().start(this::work);
    }

    /**
     * The answer to a question, after the round trip that it shared, and the commit if there is one. Waits until the
     * caller's thread is interrupted, as its request's budget does.
     *
     * @throws UnavailableException when the database failed, too many wait already, or the wait was interrupted; then
     *     what was asked may still happen
     */
    A ask(Q question) {
        Pending<Q, A> pending = new Pending<>(question, new CompletableFuture<>());
        if (stopping || !queue.offer(pending)) {
            throw new UnavailableException("Too many requests are waiting");
        }
        try {
            return pending.answer.get();
        } catch (ExecutionException e) {
            throw new UnavailableException("The database could not be asked", e);
        } catch (InterruptedException e) {
            pending.answer.cancel(false);
            Thread.currentThread().interrupt();
            throw new UnavailableException("The caller gave up", e);
        }
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
                    // Who has given up is not to get what it asked for.
                    batch.removeIf(pending -> pending.answer.isDone());
                    answer(batch);
                }
            } catch (InterruptedException e) {
                stopping = true;
            } finally {
                batch.clear();
            }
        }
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
            if (batch.size() > 1 && isAboutTheData(e)) {
                LOG.debugf("A batch of %d was refused, asking one by one", batch.size());
                batch.forEach(pending -> answer(List.of(pending)));
            } else {
                batch.forEach(pending -> pending.answer.completeExceptionally(e));
            }
        } catch (RuntimeException e) {
            batch.forEach(pending -> pending.answer.completeExceptionally(e));
        }
    }

    /** SQLSTATE classes 22 and 23: one row's fault. Anything else is the connection's or the server's. */
    private static boolean isAboutTheData(SQLException e) {
        String state = e.getSQLState();
        return state != null && (state.startsWith("22") || state.startsWith("23"));
    }

    /** Asks several questions in one round trip, in a transaction of its own. */
    @FunctionalInterface
    interface Statement<Q, A> {

        /** The answers in the order of the questions, which are at least one. */
        List<A> execute(List<Q> questions) throws SQLException;
    }

    private record Pending<Q, A>(Q question, CompletableFuture<A> answer) {}
}
