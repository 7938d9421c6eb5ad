package dev.countersign.challenge;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A call that presents a code.
 *
 * @param code as presented, right or wrong
 * @param principal the name of the caller
 * @param idempotencyKey what the caller made up to be able to repeat the call, or null when it will not
 */
record RedeemAttempt(
        String appId,
        UUID sessionId,
        String code,
        String principal,
        @Nullable String idempotencyKey) {

    /** SHA-256 of the idempotency key and the code, by which a repeat is known; null without a key. */
    byte @Nullable [] fingerprint() {
        if (idempotencyKey == null) {
            return null;
        }
        byte[] key = idempotencyKey.getBytes(UTF_8);
        byte[] presented = code.getBytes(UTF_8);
        ByteBuffer input = ByteBuffer.allocate(Integer.BYTES + key.length + presented.length)
                .putInt(key.length)
                .put(key)
                .put(presented);
        try {
            return MessageDigest.getInstance("SHA-256").digest(input.array());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }

    /** Without the code. */
    @Override
    public String toString() {
        return "RedeemAttempt[appId=" + appId + ", sessionId=" + sessionId + ", principal=" + principal + "]";
    }
}
