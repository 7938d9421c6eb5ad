package dev.countersign.challenge;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import javax.crypto.Mac;
import javax.crypto.SecretKey;
import org.jspecify.annotations.Nullable;

/** HMAC-SHA-256 (RFC 2104, FIPS 180-4) over a list of values. */
final class KeyedHash {

    private static final int ABSENT = -1;

    private KeyedHash() {}

    /**
     * Hashes the values for a purpose. Each value is preceded by its length, and null has a length of its own, so that
     * two different lists never give the same input. A byte array is hashed as it is, any other value as its text.
     */
    static byte[] of(SecretKey key, String purpose, @Nullable Object... values) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(key);
            mac.update(purpose.getBytes(UTF_8));
            for (Object value : values) {
                byte[] bytes = value instanceof byte[] raw
                        ? raw
                        : String.valueOf(value).getBytes(UTF_8);
                mac.update(ByteBuffer.allocate(Integer.BYTES)
                        .putInt(value == null ? ABSENT : bytes.length)
                        .flip());
                if (value != null) {
                    mac.update(bytes);
                }
            }
            return mac.doFinal();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("Every Java platform has HmacSHA256", e);
        }
    }
}
