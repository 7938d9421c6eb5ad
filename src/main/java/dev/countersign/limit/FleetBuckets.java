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
 * Token buckets that all replicas share. A replica takes a tenth of a second's worth from the {@link BucketTable} and
 * gives it out by itself, and refuses by itself until the next token is due.
 */
@ApplicationScoped
class FleetBuckets {

    private static final Logger LOG = Logger.getLogger(FleetBuckets.class);

    /** The part of a minute's worth that a replica takes at once: 100 ms. */
    private static final int SHARE = 600;

    /** What was taken and not given out is forgotten then. */
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
     * Takes a token from a bucket that gets so many a minute. A bucket whose rate has changed keeps the tokens it has, as
     * far as it may still hold them.
     *
     * @return zero if there was one, else how long until there will be; a failure when the table could not be asked
     */
    CompletableFuture<Duration> take(String name, int perMinute) {
        Bucket known = buckets.get(name);
        if (known == null) {
            // With too many, a bucket works without being remembered; it only asks the table more often.
            known = buckets.size() < MOST_BUCKETS ? buckets.computeIfAbsent(name, Bucket::new) : new Bucket(name);
        }
        return known.take(perMinute);
    }

    /** The last run that knows a bucket finds it full, so that where no limit is in use the table isn't asked at all. */
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
            LOG.warnf(e, "Buckets that are full again could not be removed, which is tried again in a minute");
        }
    }

    /** What this replica knows of a bucket. */
    private final class Bucket {

        private final String name;
        private final Queue<CompletableFuture<Duration>> waiting = new ArrayDeque<>();
        private int perMinute;
        private boolean asking;
        /** Taken from the table and not given out. */
        private int left;
        /** When the table was last asked, and the time from then on in which it has no token. */
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
                asking = true;
                threads.execute(this::ask);
            }
            CompletableFuture<Duration> answer = new CompletableFuture<>();
            waiting.add(answer);
            return answer;
        }

        /** Asks for all that wait, and again while more have come. */
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
                } catch (SQLException | RuntimeException e) {
                    fail(e);
                    more = false;
                }
            }
        }

        /** Returns whether some still wait. */
        private boolean tell(BucketTable.Taken taken, int rate) {
            List<CompletableFuture<Duration>> admitted = new ArrayList<>();
            List<CompletableFuture<Duration>> refused = new ArrayList<>();
            Duration wait;
            boolean more;
            synchronized (this) {
                askedAt = System.nanoTime();
                // With another rate meanwhile, who still waits is asked for again.
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

        private void fail(Exception e) {
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
