package dev.countersign.challenge;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.inject.Singleton;

/** Counts the outcomes of tokens on this replica, over all apps. */
@Singleton
class TokenCounts {

    final Counter issued;
    final Counter redeemed;
    final Counter locked;
    final Counter removed;

    /** Operations that found no such app or no live token, or got a wrong code. */
    final Counter refused;

    /** Those of the refused operations that came too late. */
    final Counter expired;

    TokenCounts(MeterRegistry metrics) {
        issued = counter(metrics, "issued");
        redeemed = counter(metrics, "redeemed");
        locked = counter(metrics, "locked");
        removed = counter(metrics, "removed");
        refused = counter(metrics, "refused");
        expired = counter(metrics, "expired");
    }

    private static Counter counter(MeterRegistry metrics, String outcome) {
        return Counter.builder("countersign.tokens")
                .description("Tokens by what became of them")
                .tag("outcome", outcome)
                .register(metrics);
    }
}
