package dev.countersign.challenge;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.util.Base64;
import javax.crypto.SecretKey;

/**
 * A one-time challenge code: 256 bits, derived by {@link KeyedHash} and written in base64url without padding (RFC 4648,
 * section 5). {@link #toString} hides it, so that it is never logged by accident.
 */
final class ChallengeCode {

    private final String value;

    private ChallengeCode(String value) {
        this.value = value;
    }

    /**
     * Derives the code of a session. The code covers everything that a redeem tells about the session, so a row that
     * was changed has another code. (The expiry time is in the session ID.)
     */
    static ChallengeCode derive(SecretKey key, ChallengeSession session) {
        byte[] hash = KeyedHash.of(
                key,
                "countersign.v2",
                session.appId,
                session.sessionId,
                session.salt,
                session.appGeneration,
                session.createdAt,
                session.issuedTo,
                session.subject,
                session.subjectIssuer,
                session.context,
                session.codeChallenge);
        return new ChallengeCode(Base64.getUrlEncoder().withoutPadding().encodeToString(hash));
    }

    /** Whether the presented code is this one, in a time that doesn't depend on where they differ. */
    boolean matches(String presented) {
        return MessageDigest.isEqual(value.getBytes(UTF_8), presented.getBytes(UTF_8));
    }

    /** The code itself. Use it only in the reply to the caller. */
    String reveal() {
        return value;
    }

    @Override
    public String toString() {
        return "ChallengeCode[hidden]";
    }
}
