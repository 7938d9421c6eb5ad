package dev.countersign.challenge;

import java.security.SecureRandom;
import java.util.HexFormat;

/**
 * What the service knows of a session before the database has given it a time.
 *
 * @param idTail the last 20 hexadecimal digits of the session ID: version 8, the variant and 74 random bits (RFC 9562,
 *     section 5.8); the expiry time goes before them
 * @param salt 128 random bits
 * @param issuedTo the name of the principal that asked
 */
// The salt is never compared through the record, so the array's identity does no harm.
@SuppressWarnings("ArrayRecordComponent")
record NewSession(String appId, String idTail, String keyId, byte[] salt, String issuedTo) {

    static NewSession of(String appId, String keyId, String issuedTo) {
        byte[] random = new byte[10 + 16];
        // Not kept in a static field, which a native image would have with the seed of the machine that built it.
        new SecureRandom().nextBytes(random);
        random[0] = (byte) (0x80 | (random[0] & 0x0f));
        random[2] = (byte) (0x80 | (random[2] & 0x3f));
        HexFormat hex = HexFormat.of();
        byte[] salt = new byte[16];
        System.arraycopy(random, 10, salt, 0, salt.length);
        return new NewSession(appId, hex.formatHex(random, 0, 10), keyId, salt, issuedTo);
    }
}
