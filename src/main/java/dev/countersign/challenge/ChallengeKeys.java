package dev.countersign.challenge;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.countersign.error.LogThrottle;
import io.quarkus.runtime.LaunchMode;
import io.quarkus.runtime.Startup;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;
import org.jboss.logging.Logger;

/**
 * The configured keys by id, and the active one, which new tokens use. They are checked at start: with missing or weak
 * keys, the service does not start. Immutable.
 */
@Startup
@Singleton
class ChallengeKeys {

    private static final int MIN_BYTES = 32;
    private static final byte[] DEVELOPMENT_KEY = "countersign development key".getBytes(UTF_8);

    private static final Logger LOG = Logger.getLogger(ChallengeKeys.class);

    private final LogThrottle missed = new LogThrottle(Duration.ofMinutes(1));
    private final Map<String, SecretKey> keys = new TreeMap<>();
    private final String activeKeyId;
    private final SecretKey activeKey;

    @Inject
    ChallengeKeys(ChallengeConfig config) {
        this(config, LaunchMode.current() == LaunchMode.NORMAL);
    }

    ChallengeKeys(ChallengeConfig config, boolean production) {
        if (config.keys().isEmpty()) {
            throw new IllegalStateException("No key is set. Set countersign.challenge.keys.<id> to base64 of "
                    + MIN_BYTES + " random bytes, as `openssl rand -base64 32` prints them.");
        }
        config.keys().forEach((id, encoded) -> keys.put(id, decode(id, encoded, production)));
        activeKeyId = config.activeKey().orElseGet(() -> onlyOf(keys.keySet()));
        SecretKey active = keys.get(activeKeyId);
        if (active == null) {
            throw new IllegalStateException("countersign.challenge.active-key names the key '" + activeKeyId
                    + "', which is not among countersign.challenge.keys: " + keys.keySet());
        }
        activeKey = active;
    }

    /** The id of the key that new tokens use. */
    String activeKeyId() {
        return activeKeyId;
    }

    /** The key that new tokens use. */
    SecretKey activeKey() {
        return activeKey;
    }

    /** The ids of all keys. */
    Set<String> ids() {
        return keys.keySet();
    }

    /**
     * Returns the key with this id. When it is not configured although a row uses it, returns empty and logs a warning
     * once a minute.
     */
    Optional<SecretKey> key(String id) {
        SecretKey key = keys.get(id);
        if (key == null && missed.permits(id)) {
            LOG.warnf(
                    "Tokens that were made with the key '%s' are refused, as it is not configured. Set"
                            + " countersign.challenge.keys.%1$s again, or wait until the last of them has expired.",
                    id);
        }
        return Optional.ofNullable(key);
    }

    private static String onlyOf(Set<String> ids) {
        if (ids.size() > 1) {
            throw new IllegalStateException(
                    "There are several keys. Set countersign.challenge.active-key to one of " + ids);
        }
        return ids.iterator().next();
    }

    private static SecretKey decode(String id, String encoded, boolean production) {
        String setting = "countersign.challenge.keys." + id;
        byte[] key;
        try {
            key = Base64.getDecoder().decode(encoded.strip());
        } catch (IllegalArgumentException e) {
            // No cause: its message could show a part of the key.
            throw new IllegalStateException(
                    setting + " is not base64. Set it to what `openssl rand -base64 32` prints.");
        }
        if (key.length < MIN_BYTES) {
            throw new IllegalStateException(setting + " has " + key.length + " bytes and needs at least " + MIN_BYTES
                    + ". Set it to what `openssl rand -base64 32` prints.");
        }
        if (Arrays.mismatch(key, new byte[key.length]) < 0) {
            throw new IllegalStateException(
                    setting + " is all zeros. Set it to what `openssl rand -base64 32` prints.");
        }
        if (production && Arrays.mismatch(key, DEVELOPMENT_KEY) == DEVELOPMENT_KEY.length) {
            throw new IllegalStateException(
                    setting + " is the public development key. Set it to what `openssl rand -base64 32` prints.");
        }
        return new SecretKeySpec(key, "HmacSHA256");
    }
}
