package dev.countersign.challenge;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.UUID;
import javax.crypto.Mac;
import javax.crypto.SecretKey;

/**
 * A one-time challenge code: 256 bits, derived by HMAC-SHA-256 (RFC 2104, FIPS 180-4) and written in base64url without
 * padding (RFC 4648, section 5). Not printable by accident.
 */
final class ChallengeCode {

    private static final byte[] PURPOSE = "countersign.v1".getBytes(UTF_8);

    private final String value;

    private ChallengeCode(String value) {
        this.value = value;
    }

    /** The code of a session. Each part is preceded by its length, so that no two sessions share an input. */
    static ChallengeCode derive(SecretKey key, String appId, UUID sessionId, byte[] salt) {
        byte[] app = appId.getBytes(UTF_8);
        byte[] session = sessionId.toString().getBytes(UTF_8);
        ByteBuffer input = ByteBuffer.allocate(
                        PURPOSE.length + Integer.BYTES + app.length + Integer.BYTES + session.length + salt.length)
                .put(PURPOSE)
                .putInt(app.length)
                .put(app)
                .putInt(session.length)
                .put(session)
                .put(salt);
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(key);
            return new ChallengeCode(
                    Base64.getUrlEncoder().withoutPadding().encodeToString(mac.doFinal(input.array())));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("Every Java platform has HmacSHA256", e);
        }
    }

    /** Whether the presented code is this one, in a time that doesn't depend on where they differ. */
    boolean matches(String presented) {
        return MessageDigest.isEqual(value.getBytes(UTF_8), presented.getBytes(UTF_8));
    }

    /** The code itself, for the reply to the caller and for nothing else. */
    String reveal() {
        return value;
    }

    @Override
    public String toString() {
        return "ChallengeCode[hidden]";
    }
}
