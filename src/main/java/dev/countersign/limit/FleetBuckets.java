package dev.countersign.limit;

import static io.github.bucket4j.distributed.ExpirationAfterWriteStrategy.basedOnTimeForRefillingBucketUpToMax;

import dev.countersign.error.UnavailableException;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.ConsumptionProbe;
import io.github.bucket4j.TimeMeter;
import io.github.bucket4j.distributed.jdbc.PrimaryKeyMapper;
import io.github.bucket4j.distributed.proxy.BucketNotFoundException;
import io.github.bucket4j.distributed.proxy.optimization.DelayParameters;
import io.github.bucket4j.distributed.proxy.optimization.NopeOptimizationListener;
import io.github.bucket4j.distributed.proxy.optimization.Optimization;
import io.github.bucket4j.distributed.proxy.optimization.Optimizations;
import io.github.bucket4j.distributed.proxy.optimization.skiponzero.SkipSyncOnZeroOptimization;
import io.github.bucket4j.postgresql.Bucket4jPostgreSQL;
import io.github.bucket4j.postgresql.PostgreSQLSelectForUpdateBasedProxyManager;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import javax.sql.DataSource;
import org.jboss.logging.Logger;

/**
 * Token buckets that all replicas share, in the table {@code limit_bucket}. The table is not asked for every token: a
 * replica gives out up to a hundredth of a minute's worth before it says so, and refuses by what it was last told.
 */
@ApplicationScoped
class FleetBuckets {

    private static final Logger LOG = Logger.getLogger(FleetBuckets.class);

    /** Each replica may be this part of a minute's worth ahead of what the table knows. */
    private static final int UNTOLD_SHARE = 100;

    private static final Duration UNTOLD_TIME = Duration.ofSeconds(10);
    private static final int MOST_BUCKETS = 100_000;
    private static final int DELETED_AT_ONCE = 1000;

    private final PostgreSQLSelectForUpdateBasedProxyManager<String> table;
    private final Rates rates;
    private final RecentlyUsed<Bucket> buckets = new RecentlyUsed<>(MOST_BUCKETS);
    private final Executor askers = task -> Thread.ofVirtual().name("limit").start(task);

    FleetBuckets(DataSource dataSource, LimitConfig config) {
        this.rates = new Rates(config.burst());
        this.table = Bucket4jPostgreSQL.selectForUpdateBasedBuilder(dataSource)
                .primaryKeyMapper(PrimaryKeyMapper.STRING)
                .table("limit_bucket")
                .idColumn("id")
                .stateColumn("state")
                .expiresAtColumn("expires_at")
                .expirationAfterWrite(basedOnTimeForRefillingBucketUpToMax(Duration.ofMinutes(1)))
                .build();
    }

    /**
     * Takes a token from a bucket that gets so many a minute. With another rate it is another bucket, which is how a
     * changed limit takes hold.
     *
     * @return zero if there was one, else how long until there will be
     * @throws UnavailableException when the table could not be asked (when the caller's thread is interrupted, a token
     *     may or may not have been taken)
     */
    Duration take(String name, int perMinute) {
        String id = name + ":" + perMinute;
        try {
            // Not on the caller's thread: who waits for another's answer there can't be interrupted, and would outwait
            // the request's budget.
            ConsumptionProbe probe = CompletableFuture.supplyAsync(() -> ask(id, perMinute), askers)
                    .get();
            return probe.isConsumed() ? Duration.ZERO : Duration.ofNanos(probe.getNanosToWaitForRefill());
        } catch (ExecutionException e) {
            throw new UnavailableException("The limit could not be asked for", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UnavailableException("The caller gave up", e);
        }
    }

    /** A bucket that is full again has nothing to say. */
    @Scheduled(every = "1m", concurrentExecution = ConcurrentExecution.SKIP)
    void removeFull() {
        try {
            int removed;
            do {
                removed = table.removeExpired(DELETED_AT_ONCE);
            } while (removed == DELETED_AT_ONCE);
        } catch (RuntimeException e) {
            LOG.warnf(e, "Buckets that are full again could not be removed, which is tried again in a minute");
        }
    }

    private ConsumptionProbe ask(String id, int perMinute) {
        Bucket bucket = buckets.get(id, _ -> make(id, perMinute));
        try {
            return bucket.tryConsumeAndReturnRemaining(1);
        } catch (RuntimeException e) {
            if (!isMissing(e)) {
                throw e;
            }
            // Of calls that come together none makes the row, as one that comes alone does.
            table.builder().build(id, () -> rates.bucket(perMinute)).getAvailableTokens();
            return bucket.tryConsumeAndReturnRemaining(1);
        }
    }

    private static boolean isMissing(RuntimeException thrown) {
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof BucketNotFoundException) {
                return true;
            }
        }
        return false;
    }

    private Bucket make(String id, int perMinute) {
        return table.builder().withOptimization(inBulk(perMinute)).build(id, () -> rates.bucket(perMinute));
    }

    private static Optimization inBulk(int perMinute) {
        int untold = perMinute / UNTOLD_SHARE;
        return untold == 0
                // The table is asked for each token, and not for the refusals between them.
                ? new SkipSyncOnZeroOptimization(NopeOptimizationListener.INSTANCE, TimeMeter.SYSTEM_MILLISECONDS)
                : Optimizations.delaying(new DelayParameters(untold, UNTOLD_TIME));
    }
}
