package dev.countersign.limit;

import static io.github.bucket4j.distributed.ExpirationAfterWriteStrategy.basedOnTimeForRefillingBucketUpToMax;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import io.github.bucket4j.TimeMeter;
import io.github.bucket4j.distributed.AsyncBucketProxy;
import io.github.bucket4j.distributed.proxy.ExecutionStrategy;
import io.github.bucket4j.distributed.proxy.optimization.DelayParameters;
import io.github.bucket4j.distributed.proxy.optimization.NopeOptimizationListener;
import io.github.bucket4j.distributed.proxy.optimization.Optimization;
import io.github.bucket4j.distributed.proxy.optimization.Optimizations;
import io.github.bucket4j.distributed.proxy.optimization.skiponzero.SkipSyncOnZeroOptimization;
import io.github.bucket4j.distributed.remote.CommandResult;
import io.github.bucket4j.distributed.remote.Request;
import io.github.bucket4j.distributed.remote.commands.CreateInitialStateAndExecuteCommand;
import io.github.bucket4j.postgresql.Bucket4jPostgreSQL;
import io.github.bucket4j.postgresql.PostgreSQLSelectForUpdateBasedProxyManager;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import io.quarkus.virtual.threads.VirtualThreads;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
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

    private final Table table;
    private final Rates rates;
    private final Cache<Key, AsyncBucketProxy> buckets =
            Caffeine.newBuilder().maximumSize(MOST_BUCKETS).build();

    FleetBuckets(DataSource dataSource, LimitConfig config, @VirtualThreads ExecutorService threads) {
        this.rates = new Rates(config.burst());
        this.table = new Table(
                Bucket4jPostgreSQL.selectForUpdateBasedBuilder(dataSource)
                        .<Key>primaryKeyMapper((statement, i, key) -> statement.setString(i, id(key)))
                        .table("limit_bucket")
                        .idColumn("id")
                        .stateColumn("state")
                        .expiresAtColumn("expires_at")
                        .expirationAfterWrite(basedOnTimeForRefillingBucketUpToMax(Duration.ofMinutes(1)))
                        .executionStrategy(ExecutionStrategy.background(threads)),
                rates);
    }

    /**
     * Takes a token from a bucket that gets so many a minute. With another rate or burst it is another bucket, which is how
     * a changed limit takes hold.
     *
     * @return zero if there was one, else how long until there will be; a failure when the table could not be asked
     */
    CompletableFuture<Duration> take(String name, int perMinute) {
        return buckets.get(new Key(name, perMinute), this::make)
                .tryConsumeAndReturnRemaining(1)
                .thenApply(probe ->
                        probe.isConsumed() ? Duration.ZERO : Duration.ofNanos(probe.getNanosToWaitForRefill()));
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

    private AsyncBucketProxy make(Key key) {
        return table.asAsync()
                .builder()
                .withOptimization(inBulk(key.perMinute))
                .build(key, () -> CompletableFuture.completedFuture(rates.bucket(key.perMinute)));
    }

    private static Optimization inBulk(int perMinute) {
        int untold = perMinute / UNTOLD_SHARE;
        return untold == 0
                // The table is asked for each token, and not for the refusals between them.
                ? new SkipSyncOnZeroOptimization(NopeOptimizationListener.INSTANCE, TimeMeter.SYSTEM_MILLISECONDS)
                : Optimizations.delaying(new DelayParameters(untold, UNTOLD_TIME));
    }

    /** In the table, where a replica with another burst must find another bucket. */
    private String id(Key key) {
        return key.name + ":" + key.perMinute + ":" + rates.capacity(key.perMinute);
    }

    private record Key(String name, int perMinute) {}

    /**
     * Bucket4j's, which can be asked without waiting for the answer too: a thread of the strategy's waits. Every request
     * may make the bucket that it asks for, as Bucket4j (8.18) forgets those that share a request for a missing one.
     */
    private static final class Table extends PostgreSQLSelectForUpdateBasedProxyManager<Key> {

        private final Rates rates;

        Table(Bucket4jPostgreSQL.PostgreSQLSelectForUpdateBasedProxyManagerBuilder<Key> builder, Rates rates) {
            super(builder);
            this.rates = rates;
        }

        @Override
        public boolean isAsyncModeSupported() {
            return true;
        }

        @Override
        public <T> CompletableFuture<CommandResult<T>> executeAsync(Key key, Request<T> request) {
            return CompletableFuture.completedFuture(execute(
                    key,
                    new Request<>(
                            new CreateInitialStateAndExecuteCommand<>(
                                    rates.bucket(key.perMinute), request.getCommand()),
                            request.getBackwardCompatibilityVersion(),
                            request.getClientSideTime(),
                            request.getExpirationStrategy())));
        }
    }
}
