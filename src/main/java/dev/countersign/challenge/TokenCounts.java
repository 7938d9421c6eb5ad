package dev.countersign.challenge;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.enterprise.context.ApplicationScoped;

/** Counts the outcomes of tokens on this replica, over all apps. */
@ApplicationScoped
class TokenCounts {

    private final Counter issued;
    private final Counter redeemed;
    private final Counter locked;
    private final Counter removed;
    private final Counter refused;
    private final Counter expired;

    TokenCounts(MeterRegistry metrics) {
        issued = counter(metrics, "issued");
        redeemed = counter(metrics, "redeemed");
        locked = counter(metrics, "locked");
        removed = counter(metrics, "removed");
        refused = counter(metrics, "refused");
        expired = counter(metrics, "expired");
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

    /** Counts an operation that found no such app or no live token, or got a wrong code. */
    void refused() {
        refused.increment();
    }

    /** Counts a refused operation on a token, and counts it as expired too when it came too late. */
    void refused(boolean tooLate) {
        refused();
        if (tooLate) {
            expired.increment();
        }
    }

    private static Counter counter(MeterRegistry metrics, String outcome) {
        return Counter.builder("countersign.tokens")
                .description("Tokens by what became of them")
                .tag("outcome", outcome)
                .register(metrics);
    }
}
