package dev.countersign.limit;

import dev.countersign.access.Audit;
import dev.countersign.error.TooManyRequestsException;
import dev.countersign.error.UnavailableException;
import dev.countersign.http.CallerContext;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/** Admits the calls of an app up to its limits, which hold for all replicas on one database together. */
@ApplicationScoped
public class AppLimits {

    private static final String FAILURES = "countersign.limit.failures";
    private static final String REFUSALS = "countersign.limit.refusals";

    /** Not an app ID. Unregistered apps share buckets, or a caller that makes up IDs would fill the table. */
    private static final String UNREGISTERED = "-";

    private final FleetBuckets buckets;
    private final RegisteredRates registered;
    private final LimitConfig config;
    private final Audit audit;
    private final Counter failures;
    private final MeterRegistry metrics;

    AppLimits(
            FleetBuckets buckets, RegisteredRates registered, LimitConfig config, Audit audit, MeterRegistry metrics) {
        this.buckets = buckets;
        this.registered = registered;
        this.config = config;
        this.audit = audit;
        this.metrics = metrics;
        // All of them from the start, so that an alert on them finds them.
        for (AppLimit limit : AppLimit.values()) {
            metrics.counter(REFUSALS, "limit", limit.type.toString());
        }
        failures = metrics.counter(FAILURES);
    }

    /**
     * Counts a call, and is done if it may go on. Fails with {@link TooManyRequestsException} when the limit is used up,
     * and with {@link UnavailableException} when that could not be found out: nobody is let in unlimited.
     */
    public CompletableFuture<Void> admit(AppLimit limit, String appId, String principal) {
        CompletableFuture<Duration> wait = registered
                .of(appId)
                .thenCompose(rate -> buckets.take(bucket(limit, appId, rate), perMinute(limit, rate)));
        return CallerContext.resume(wait).handle((time, failure) -> {
            if (failure != null) {
                failures.increment();
                throw new UnavailableException("The limit could not be asked for", failure);
            } else if (!time.isZero()) {
                metrics.counter(REFUSALS, "limit", limit.type.toString()).increment();
                audit.refused(limit.event, "limit", principal, appId, null);
                throw new TooManyRequestsException(limit.message, limit.type, time);
            }
            return null;
        });
    }

    private static String bucket(AppLimit limit, String appId, RegisteredRates.Rate rate) {
        return limit + ":" + (rate.registered() ? appId : UNREGISTERED);
    }

    private int perMinute(AppLimit limit, RegisteredRates.Rate rate) {
        return switch (limit) {
            case CREATE_TOKEN -> rate.createTokenPerMinute().orElseGet(config::createTokenPerMinute);
            case READ -> config.readPerMinute();
            case REDEEM -> config.redeemPerMinute();
        };
    }
}
