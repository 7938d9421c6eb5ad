package dev.countersign.challenge;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.quarkus.runtime.LaunchMode;
import io.quarkus.runtime.Startup;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import javax.crypto.SecretKey;
import javax.crypto.spec.SecretKeySpec;

/**
 * The configured keys by id, and which one new tokens use. Made at start, so that a service whose keys are missing or
 * weak never serves. Immutable.
 */
@Startup
@Singleton
class ChallengeKeys {

    private static final int MIN_BYTES = 32;
    private static final byte[] DEVELOPMENT_KEY = "countersign development key".getBytes(UTF_8);

    private final Map<String, SecretKey> keys = new TreeMap<>();
    private final String activeKeyId;

    @Inject
    ChallengeKeys(ChallengeConfig config) {
        this(config, LaunchMode.current() == LaunchMode.NORMAL);
    }

    ChallengeKeys(ChallengeConfig config, boolean production) {
        if (config.keys().isEmpty()) {
            throw new InvalidKeysException("No key is set. Set countersign.challenge.keys.<id> to base64 of "
                    + MIN_BYTES + " random bytes, as `openssl rand -base64 32` prints them.");
        }
        config.keys().forEach((id, encoded) -> keys.put(id, decode(id, encoded, production)));
        activeKeyId = config.activeKey().orElseGet(() -> onlyOf(keys.keySet()));
        if (!keys.containsKey(activeKeyId)) {
            throw new InvalidKeysException("countersign.challenge.active-key names the key '" + activeKeyId
                    + "', which is not among countersign.challenge.keys: " + keys.keySet());
        }
    }

    /** The id of the key that new tokens use. */
    String activeKeyId() {
        return activeKeyId;
    }

    /**
     * The key with this id.
     *
     * @throws IllegalStateException when it is not configured any more, though a live token was made with it
     */
    SecretKey key(String id) {
        SecretKey key = keys.get(id);
        if (key == null) {
            throw new IllegalStateException("A live token was made with the key '" + id
                    + "', which is not configured any more. Set countersign.challenge.keys." + id + " again.");
        }
        return key;
    }

    private static String onlyOf(Set<String> ids) {
        if (ids.size() > 1) {
            throw new InvalidKeysException(
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
            // Without its cause, whose message could show a part of the key.
            throw new InvalidKeysException(
                    setting + " is not base64. Set it to what `openssl rand -base64 32` prints.");
        }
        if (key.length < MIN_BYTES) {
            throw new InvalidKeysException(setting + " has " + key.length + " bytes and needs at least " + MIN_BYTES
                    + ". Set it to what `openssl rand -base64 32` prints.");
        }
        if (production && Arrays.mismatch(key, DEVELOPMENT_KEY) == DEVELOPMENT_KEY.length) {
            throw new InvalidKeysException(
                    setting + " is the public development key. Set it to what `openssl rand -base64 32` prints.");
        }
        return new SecretKeySpec(key, "HmacSHA256");
    }

    /** The configured keys can't be used; the message says which setting to change and how. */
    static final class InvalidKeysException extends IllegalStateException {
        InvalidKeysException(String message) {
            super(message);
        }
    }
}
