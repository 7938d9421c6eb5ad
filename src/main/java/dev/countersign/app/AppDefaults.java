package dev.countersign.app;

import dev.countersign.limit.LimitConfig;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.OptionalInt;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.Nullable;

/** The effective settings of an app: its own, or the service's default. */
@Singleton
class AppDefaults {

    private final int ttlSeconds;
    private final OptionalInt createTokenPerMinute;

    AppDefaults(
            @ConfigProperty(name = "countersign.challenge.ttl", defaultValue = "PT5M") Duration ttl,
            LimitConfig limits) {
        this.ttlSeconds = (int) ttl.toSeconds();
        this.createTokenPerMinute = limits.createTokenPerMinute();
    }

    int ttlSeconds(App app) {
        return app.ttlSeconds == null ? ttlSeconds : app.ttlSeconds;
    }

    /** Null when there is no limit. */
    @Nullable
    Integer createTokenPerMinute(App app) {
        if (app.createTokenPerMinute != null) {
            return app.createTokenPerMinute;
        }
        return createTokenPerMinute.isPresent() ? createTokenPerMinute.getAsInt() : null;
    }
}
