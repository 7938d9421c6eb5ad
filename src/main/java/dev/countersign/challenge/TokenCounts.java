package dev.countersign.challenge;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.enterprise.context.ApplicationScoped;

/** Counts what became of tokens on this replica, of all apps together. */
@ApplicationScoped
class TokenCounts {

    private final Counter issued;
    private final Counter redeemed;
    private final Counter locked;
    private final Counter removed;
    private final Counter refused;

    TokenCounts(MeterRegistry metrics) {
        issued = counter(metrics, "issued");
        redeemed = counter(metrics, "redeemed");
        locked = counter(metrics, "locked");
        removed = counter(metrics, "removed");
        refused = counter(metrics, "refused");
    }

    void issued() {
        issued.increment();
    }

    void redeemed() {
        redeemed.increment();
    }

    void locked() {
        locked.increment();
    }

    void removed() {
        removed.increment();
    }

    /** Any operation, for whatever reason. */
    void refused() {
        refused.increment();
    }

    private static Counter counter(MeterRegistry metrics, String outcome) {
        return Counter.builder("countersign.tokens")
                .description("Tokens by what became of them")
                .tag("outcome", outcome)
                .register(metrics);
    }
}
