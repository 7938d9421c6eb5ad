package dev.countersign.challenge;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;

/** The keys of codes, the lifetime of tokens, and the limit on wrong codes. */
@ConfigMapping(prefix = "countersign.challenge")
public interface ChallengeConfig {

    /**
     * A key from which codes are derived: base64 of at least 32 random bytes. Keep a key until the last token that was
     * made with it has expired.
     */
    Map<String, String> keys();

    /** The id of the key that new tokens use. Optional when there is only one key. */
    Optional<String> activeKey();

    /** How long a token lives if its app sets no lifetime, 1 second to 1 hour. */
    @WithDefault("PT5M")
    @DurationMin(seconds = 1)
    @DurationMax(hours = 1)
    Duration ttl();

    /** How many wrong codes lock a token, 1 to 100. */
    @WithDefault("5")
    @Min(1)
    @Max(100)
    int maxAttempts();
}
