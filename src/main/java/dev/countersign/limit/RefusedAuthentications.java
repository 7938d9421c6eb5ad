package dev.countersign.limit;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.countersign.api.model.LimitType;
import dev.countersign.error.TooManyRequestsException;
import io.github.bucket4j.Bucket;
import io.github.bucket4j.local.LocalBucketBuilder;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.security.spi.runtime.AuthenticationFailureEvent;
import io.quarkus.security.spi.runtime.AuthorizationFailureEvent;
import io.quarkus.security.spi.runtime.SecurityEvent;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.time.Duration;

/**
 * Stops listening to an address whose requests are refused for their credentials too often. Each replica counts for
 * itself, in memory: nobody who is not known may make the service write to its database.
 */
@Singleton
class RefusedAuthentications {

    /** After the request's shape and method are checked (250, 245), before authentication (200). */
    private static final int PRIORITY = 240;

    private static final int MOST_ADDRESSES = 100_000;

    /** By then a bucket is full again. */
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final SourceAddress source;
    private final int perMinute;
    private final Rates rates;
    private final Counter refusals;
    private final Cache<String, Bucket> buckets = Caffeine.newBuilder()
            .maximumSize(MOST_ADDRESSES)
            .expireAfterAccess(MINUTE)
            // Its upkeep is short: to wake another thread for it costs a request more than doing it.
            .executor(Runnable::run)
            .build();

    RefusedAuthentications(SourceAddress source, LimitConfig config, MeterRegistry metrics) {
        this.source = source;
        this.perMinute = config.refusedAuthenticationPerMinute();
        this.rates = new Rates(config.burst());
        this.refusals =
                metrics.counter("countersign.limit.refusals", "limit", LimitType.AUTHENTICATION_RATE.toString());
    }

    void register(@Observes Filters filters) {
        filters.register(this::check, PRIORITY);
    }

    void onAuthenticationFailure(@Observes AuthenticationFailureEvent event) {
        count(event);
    }

    /** Also that of a caller without credentials; a known one's was not refused for them. */
    void onAuthorizationFailure(@Observes AuthorizationFailureEvent event) {
        SecurityIdentity identity = event.getSecurityIdentity();
        if (identity == null || identity.isAnonymous()) {
            count(event);
        }
    }

    private void count(SecurityEvent event) {
        if (event.getEventProperties().get(RoutingContext.class.getName()) instanceof RoutingContext context) {
            buckets.get(source.of(context.request()), _ -> make()).tryConsume(1);
        }
    }

    private void check(RoutingContext context) {
        Duration wait = wait(context);
        if (wait.isZero()) {
            context.next();
        } else {
            refusals.increment();
            context.fail(new TooManyRequestsException(
                    "Too many requests from this address were refused for their credentials",
                    LimitType.AUTHENTICATION_RATE,
                    wait));
        }
    }

    private Duration wait(RoutingContext context) {
        // Nearly always nobody has been refused, and then nobody's address is looked at.
        if (buckets.asMap().isEmpty() || !asksForCredentials(context)) {
            return Duration.ZERO;
        }
        Bucket bucket = buckets.getIfPresent(source.of(context.request()));
        return bucket == null
                ? Duration.ZERO
                : Duration.ofNanos(bucket.estimateAbilityToConsume(1).getNanosToWaitForRefill());
    }

    private static boolean asksForCredentials(RoutingContext context) {
        return context.normalizedPath().startsWith("/prod/")
                && !context.request().method().equals(HttpMethod.OPTIONS);
    }

    private Bucket make() {
        LocalBucketBuilder bucket = Bucket.builder();
        for (var limit : rates.bucket(perMinute).getBandwidths()) {
            bucket.addLimit(limit);
        }
        return bucket.build();
    }
}
