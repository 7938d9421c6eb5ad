package dev.countersign.limit;

import dev.countersign.access.Audit;
import dev.countersign.error.TooManyRequestsException;
import dev.countersign.error.UnavailableException;
import dev.countersign.http.RequestBudget;
import dev.countersign.http.RequestVertxContext;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;

/** Admits calls up to the configured limits, which all replicas on one database share. */
@ApplicationScoped
public class AppLimits {

    private static final String FAILURES = "countersign.limit.failures";
    private static final String REFUSALS = "countersign.limit.refusals";

    /**
     * Stands for all unregistered apps in the names of buckets, which they share; it can't be an app ID. Without it, a
     * caller that makes up IDs would fill the table.
     */
    private static final String UNREGISTERED = "-";

    private final FleetBuckets buckets;
    private final RegisteredRates registered;
    private final KnownApps apps;
    private final Audit audit;
    private final Duration timeout;
    private final Map<AppLimit, OptionalInt> settings = new EnumMap<>(AppLimit.class);
    private final Counter failures;
    private final MeterRegistry metrics;

    AppLimits(
            FleetBuckets buckets,
            RegisteredRates registered,
            KnownApps apps,
            LimitConfig config,
            RequestBudget budget,
            Audit audit,
            MeterRegistry metrics) {
        this.buckets = buckets;
        this.registered = registered;
        this.apps = apps;
        this.audit = audit;
        this.timeout = budget.timeout();
        this.metrics = metrics;
        for (AppLimit limit : AppLimit.values()) {
            settings.put(limit, setting(limit, config));
            // Registers every counter at start, so that an alert on it finds it.
            metrics.counter(REFUSALS, "limit", limit.type.toString());
        }
        failures = metrics.counter(FAILURES);
    }

    /**
     * Counts a call. Completes when the call may go on; at once if no limit is set. Fails with
     * {@link TooManyRequestsException} when the limit is used up, and with {@link UnavailableException} when the limit
     * can't be checked within the request's time: no call is admitted unchecked.
     *
     * @param appId may be empty for {@link AppLimit#REGISTRY}
     */
    public CompletableFuture<Void> admit(AppLimit limit, String appId, String principal) {
        CompletableFuture<Map<String, Integer>> rates = registered.rates();
        if (rates.isDone() && rate(limit, appId, rates.join()).isEmpty()) {
            return CompletableFuture.completedFuture(null);
        }
        long begin = System.nanoTime();
        CompletableFuture<Duration> wait = rates.thenCompose(known -> wait(limit, appId, principal, known));
        return RequestVertxContext.resume(wait).handle((time, failure) -> {
            if (failure != null) {
                failures.increment();
                throw new UnavailableException("The rate limit could not be checked", failure);
            } else if (!time.isZero()) {
                metrics.counter(REFUSALS, "limit", limit.type.toString()).increment();
                audit.refused(limit.event, "limit", principal, appId, null, null);
                throw new TooManyRequestsException(limit.message, limit.type, time);
            } else if (System.nanoTime() - begin > timeout.toNanos()) {
                // The caller has gone, so its operation must not run.
                throw new UnavailableException("The rate limit was checked too late");
            }
            return null;
        });
    }

    /** How long the call has to wait; zero if it is admitted. */
    private CompletableFuture<Duration> wait(
            AppLimit limit, String appId, String principal, Map<String, Integer> rates) {
        OptionalInt perMinute = rate(limit, appId, rates);
        if (perMinute.isEmpty()) {
            return CompletableFuture.completedFuture(Duration.ZERO);
        }
        CompletableFuture<String> subject;
        if (limit == AppLimit.REGISTRY) {
            subject = CompletableFuture.completedFuture(principal);
        } else if (rates.containsKey(appId)) {
            subject = CompletableFuture.completedFuture(appId);
        } else {
            subject = apps.isRegistered(appId).thenApply(known -> known ? appId : UNREGISTERED);
        }
        return subject.thenCompose(name -> buckets.take(limit + ":" + name, perMinute.getAsInt()));
    }

    private OptionalInt rate(AppLimit limit, String appId, Map<String, Integer> rates) {
        Integer own = limit == AppLimit.CREATE_TOKEN ? rates.get(appId) : null;
        return own == null ? settings.getOrDefault(limit, OptionalInt.empty()) : OptionalInt.of(own);
    }

    private static OptionalInt setting(AppLimit limit, LimitConfig config) {
        return switch (limit) {
            case CREATE_TOKEN -> config.createTokenPerMinute();
            case READ -> config.readPerMinute();
            case REDEEM -> config.redeemPerMinute();
            case REMOVE -> config.removePerMinute();
            case REGISTRY -> config.registryPerMinute();
        };
    }
}
