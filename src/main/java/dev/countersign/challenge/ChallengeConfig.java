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

/** How tokens are made and how long they live. */
@ConfigMapping(prefix = "countersign.challenge")
public interface ChallengeConfig {

    /**
     * The keys from which codes are derived, by key id: each is base64 of at least 32 random bytes. A key must stay
     * until the last token that was made with it has expired.
     */
    Map<String, String> keys();

    /** The id of the key that new tokens use. May be left out when there is only one key. */
    Optional<String> activeKey();

    /** How long a token lives when its app doesn't say, 1 second to 1 hour. */
    @WithDefault("PT5M")
    @DurationMin(seconds = 1)
    @DurationMax(hours = 1)
    Duration ttl();

    /** How many wrong codes lock a session, 1 to 100. */
    @WithDefault("5")
    @Min(1)
    @Max(100)
    int maxAttempts();
}
