package dev.countersign.limit;

import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import io.quarkus.virtual.threads.VirtualThreads;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import org.jboss.logging.Logger;

/**
 * Token buckets that all replicas share. A replica takes a tenth of a second's tokens from the {@link BucketTable} and
 * hands them out by itself. When the bucket is empty, the replica refuses by itself until the next token is due.
 */
@ApplicationScoped
class FleetBuckets {

    private static final Logger LOG = Logger.getLogger(FleetBuckets.class);

    /** The share of a minute's tokens that a replica takes at once: one 600th, which is 100 ms. */
    private static final int SHARE = 600;

    /** How long a replica keeps tokens that it took and did not hand out. */
    private static final long KEPT_NANOS = Duration.ofSeconds(10).toNanos();

    private static final long MINUTE_NANOS = Duration.ofMinutes(1).toNanos();

    private static final int MOST_BUCKETS = 100_000;
    private static final int REMOVED_AT_ONCE = 1000;

    private final BucketTable table;
    private final Rates rates;
    private final ExecutorService threads;
    private final Map<String, Bucket> buckets = new ConcurrentHashMap<>();

    FleetBuckets(BucketTable table, LimitConfig config, @VirtualThreads ExecutorService threads) {
        this.table = table;
        this.rates = new Rates(config.burst());
        this.threads = threads;
    }

    /**
     * Takes a token from a bucket that gets {@code perMinute} tokens a minute. A bucket whose rate has changed keeps
     * its tokens, up to its new capacity.
     *
     * @return zero if there was a token, else how long until the next one; fails when the table could not be asked
     */
    CompletableFuture<Duration> take(String name, int perMinute) {
        Bucket known = buckets.get(name);
        if (known == null) {
            // Beyond the limit, a bucket is not remembered. It works, but asks the table more often.
            known = buckets.size() < MOST_BUCKETS ? buckets.computeIfAbsent(name, Bucket::new) : new Bucket(name);
        }
        return known.take(perMinute);
    }

    /**
     * Removes full buckets from the table. A bucket that this run forgets is full by now, and the same run removes its
     * row. So the table isn't asked at all where no limit is in use.
     */
    @Scheduled(every = "1m", concurrentExecution = ConcurrentExecution.SKIP)
    void removeFull() {
        if (buckets.isEmpty()) {
            return;
        }
        buckets.values().removeIf(Bucket::isIdle);
        try {
            int removed;
            do {
                removed = table.removeFull(REMOVED_AT_ONCE);
            } while (removed == REMOVED_AT_ONCE);
        } catch (SQLException e) {
            LOG.warnf(e, "Buckets that are full again could not be removed; the next try is in a minute");
        }
    }

    /** What this replica knows about a bucket. */
    private final class Bucket {

        private final String name;
        private final Queue<CompletableFuture<Duration>> waiting = new ArrayDeque<>();
        private int perMinute;
        private boolean asking;
        /** Tokens that were taken from the table and not handed out. */
        private int left;
        /** When the table was last asked. For {@link #emptyNanos} after that, the bucket is known to be empty. */
        private long askedAt = System.nanoTime();

        private long emptyNanos;

        Bucket(String name) {
            this.name = name;
        }

        synchronized boolean isIdle() {
            return !asking && System.nanoTime() - askedAt > MINUTE_NANOS;
        }

        synchronized CompletableFuture<Duration> take(int rate) {
            if (rate != perMinute) {
                perMinute = rate;
                left = Math.min(left, share());
                emptyNanos = 0;
            }
            if (!asking) {
                long since = System.nanoTime() - askedAt;
                if (left > 0 && since < KEPT_NANOS) {
                    left--;
                    return CompletableFuture.completedFuture(Duration.ZERO);
                } else if (since < emptyNanos) {
                    return CompletableFuture.completedFuture(Duration.ofNanos(emptyNanos - since));
                }
                // Set asking only after execute succeeded. Otherwise later calls would wait for a thread that never
                // started.
                threads.execute(this::ask);
                asking = true;
            }
            CompletableFuture<Duration> answer = new CompletableFuture<>();
            waiting.add(answer);
            return answer;
        }

        /** Asks the table for all waiting calls, and again while there are more. */
        private void ask() {
            boolean more = true;
            while (more) {
                try {
                    int wanted;
                    int rate;
                    synchronized (this) {
                        wanted = Math.max(waiting.size(), share());
                        rate = perMinute;
                    }
                    BucketTable.Taken taken = table.take(name, wanted, rates.capacity(rate), rate);
                    more = tell(taken, rate);
                } catch (Throwable e) {
                    // Not even an Error may leave calls unanswered: nobody would ask the table for them again.
                    fail(e);
                    more = false;
                }
            }
        }

        /** Answers the waiting calls. Returns whether some still wait. */
        private boolean tell(BucketTable.Taken taken, int rate) {
            List<CompletableFuture<Duration>> admitted = new ArrayList<>();
            List<CompletableFuture<Duration>> refused = new ArrayList<>();
            Duration wait;
            boolean more;
            synchronized (this) {
                askedAt = System.nanoTime();
                // If the rate changed meanwhile, the table is asked again for the calls that still wait.
                boolean changed = rate != perMinute;
                emptyNanos = changed ? 0 : (long) Math.ceil(Math.max(0, 1 - taken.available()) * MINUTE_NANOS / rate);
                wait = Duration.ofNanos(emptyNanos);
                left = taken.granted();
                while (left > 0 && !waiting.isEmpty()) {
                    admitted.add(waiting.remove());
                    left--;
                }
                left = Math.min(left, share());
                if (emptyNanos > 0) {
                    refused.addAll(waiting);
                    waiting.clear();
                }
                asking = !waiting.isEmpty();
                more = asking;
            }
            admitted.forEach(answer -> answer.complete(Duration.ZERO));
            refused.forEach(answer -> answer.complete(wait));
            return more;
        }

        private void fail(Throwable e) {
            List<CompletableFuture<Duration>> failed;
            synchronized (this) {
                failed = List.copyOf(waiting);
                waiting.clear();
                asking = false;
            }
            failed.forEach(answer -> answer.completeExceptionally(e));
        }

        private int share() {
            return Math.max(1, perMinute / SHARE);
        }
    }
}
