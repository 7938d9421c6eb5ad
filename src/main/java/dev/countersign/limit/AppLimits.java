package dev.countersign.limit;

import dev.countersign.access.Audit;
import dev.countersign.error.TooManyRequestsException;
import dev.countersign.error.UnavailableException;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;

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
        metrics.counter(FAILURES);
    }

    /**
     * Counts a call, and returns if it may go on.
     *
     * @throws TooManyRequestsException when the limit is used up
     * @throws UnavailableException when that could not be found out: nobody is let in unlimited
     */
    public void admit(AppLimit limit, String appId) {
        Duration wait = wait(limit, appId);
        if (!wait.isZero()) {
            metrics.counter(REFUSALS, "limit", limit.type.toString()).increment();
            audit.refused(limit.event, "limit", appId, null);
            throw new TooManyRequestsException(limit.message, limit.type, wait);
        }
    }

    private Duration wait(AppLimit limit, String appId) {
        try {
            RegisteredRates.Rate rate = registered.of(appId);
            String name = rate.registered() ? appId : UNREGISTERED;
            return buckets.take(limit + ":" + name, perMinute(limit, rate));
        } catch (UnavailableException e) {
            metrics.counter(FAILURES).increment();
            throw e;
        }
    }

    private int perMinute(AppLimit limit, RegisteredRates.Rate rate) {
        return switch (limit) {
            case CREATE_TOKEN -> rate.createTokenPerMinute().orElseGet(config::createTokenPerMinute);
            case READ -> config.readPerMinute();
            case REDEEM -> config.redeemPerMinute();
        };
    }
}
