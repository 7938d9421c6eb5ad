package dev.countersign.http;

import io.smallrye.common.annotation.Identifier;
import io.smallrye.faulttolerance.api.Guard;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Bounds the time of an operation. When it is over, the operation's thread is interrupted; on a virtual thread that ends
 * a wait on a socket too, so that nobody waits for a database that is frozen or gone.
 */
public class RequestBudget {

    /** For {@code @ApplyGuard}, on a bean whose methods run on virtual threads. */
    public static final String NAME = "request-budget";

    @Produces
    @Singleton
    @Identifier(NAME)
    Guard guard(@ConfigProperty(name = "countersign.request-timeout", defaultValue = "PT2S") Duration timeout) {
        return Guard.create()
                .withTimeout()
                .duration(timeout.toMillis(), ChronoUnit.MILLIS)
                .done()
                .build();
    }
}
