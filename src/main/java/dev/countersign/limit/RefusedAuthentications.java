package dev.countersign.limit;

import dev.countersign.api.model.LimitType;
import dev.countersign.error.TooManyRequestsException;
import dev.countersign.http.CallerLimit;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.security.spi.runtime.AuthenticationFailureEvent;
import io.quarkus.security.spi.runtime.AuthorizationFailureEvent;
import io.quarkus.security.spi.runtime.SecurityEvent;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Refuses requests from an address from which credentials were refused too often. It works only where the trusted
 * proxies are configured: without them, one bad caller behind a proxy would lock out all others behind it. Each replica
 * counts for itself, in memory, because an unknown caller must not make the service write to its database.
 */
@Singleton
class RefusedAuthentications implements CallerLimit {

    private static final int MOST_ADDRESSES = 100_000;

    private final SourceAddress source;
    private final long nanosEach;
    private final long burstNanos;
    private final Counter refusals;

    /**
     * When the bucket of each address is full again, on the clock of {@link System#nanoTime}. In the order of their
     * last use: the oldest goes first.
     */
    private final Map<String, Long> fullAgain = new LinkedHashMap<>(16, 0.75f, true);

    RefusedAuthentications(SourceAddress source, LimitConfig config, MeterRegistry metrics) {
        this.source = source;
        this.nanosEach = Duration.ofMinutes(1).toNanos() / config.refusedAuthenticationPerMinute();
        this.burstNanos = nanosEach * new Rates(config.burst()).capacity(config.refusedAuthenticationPerMinute());
        this.refusals =
                metrics.counter("countersign.limit.refusals", "limit", LimitType.AUTHENTICATION_RATE.toString());
    }

    void onAuthenticationFailure(@Observes AuthenticationFailureEvent event) {
        count(event);
    }

    /** Counts a caller without credentials too. An authenticated caller was not refused for its credentials. */
    void onAuthorizationFailure(@Observes AuthorizationFailureEvent event) {
        SecurityIdentity identity = event.getSecurityIdentity();
        if (identity == null || identity.isAnonymous()) {
            count(event);
        }
    }

    private void count(SecurityEvent event) {
        if (source.isConfigured()
                && event.getEventProperties().get(RoutingContext.class.getName()) instanceof RoutingContext context) {
            count(source.of(context.request()), System.nanoTime());
        }
    }

    private synchronized void count(String address, long now) {
        fullAgain.merge(address, now + nanosEach, (full, _) -> Math.max(full, now) + nanosEach);
        Iterator<Long> oldest = fullAgain.values().iterator();
        for (Long full = oldest.next(); full <= now || fullAgain.size() > MOST_ADDRESSES; full = oldest.next()) {
            oldest.remove();
        }
    }

    @Override
    public void handle(RoutingContext context) {
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
        if (!source.isConfigured() || !asksForCredentials(context)) {
            return Duration.ZERO;
        }
        return wait(source.of(context.request()), System.nanoTime());
    }

    private synchronized Duration wait(String address, long now) {
        long full = fullAgain.getOrDefault(address, now);
        return Duration.ofNanos(Math.max(0, full + nanosEach - burstNanos - now));
    }

    private static boolean asksForCredentials(RoutingContext context) {
        return context.normalizedPath().startsWith("/prod/")
                && !context.request().method().equals(HttpMethod.OPTIONS);
    }
}
