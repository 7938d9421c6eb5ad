package dev.countersign.challenge;

import jakarta.persistence.Entity;
import jakarta.persistence.EnumType;
import jakarta.persistence.Enumerated;
import jakarta.persistence.EnumeratedValue;
import jakarta.persistence.Id;
import jakarta.persistence.IdClass;
import jakarta.persistence.Table;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A token's row. Concurrent callers may share one that was found: change none. */
@Entity
@Table(name = "challenge_session")
@IdClass(ChallengeSession.SessionKey.class)
class ChallengeSession {

    @Id
    String appId;

    /** Version 8 (RFC 9562, section 5.8): the expiry time in Unix milliseconds, then 74 random bits. */
    @Id
    UUID sessionId;

    /** Which registration of the app: when it is deleted, its tokens end with it. */
    long appGeneration;

    String keyId;

    /** Wiped when the token ends, and with it the way to its code. */
    byte @Nullable [] salt;

    @Enumerated(EnumType.STRING)
    State state = State.ISSUED;

    int attempts;
    String issuedTo;
    Instant createdAt;
    Instant expiresAt;

    @Nullable
    Instant settledAt;

    @Nullable
    String redeemedBy;

    byte @Nullable [] redeemFingerprint;

    @Nullable
    String subject;

    @Nullable
    String subjectIssuer;

    @Nullable
    String context;

    @Nullable
    String codeChallenge;

    /**
     * Not stored yet, and without a subject. The database gives it the app's generation, its times, and with them the
     * beginning of its ID.
     */
    static ChallengeSession of(String appId, String keyId, String issuedTo, TokenRequest request) {
        byte[] random = new byte[10 + 16];
        // Not kept in a static field, which a native image would have with the seed of the machine that built it.
        new SecureRandom().nextBytes(random);
        ByteBuffer bits = ByteBuffer.wrap(random);
        ChallengeSession session = new ChallengeSession();
        session.appId = appId;
        session.keyId = keyId;
        session.issuedTo = issuedTo;
        session.context = request.context();
        session.codeChallenge = request.codeChallenge();
        session.sessionId = new UUID(0x8000 | (bits.getShort() & 0x0fff), Long.MIN_VALUE | (bits.getLong() >>> 2));
        session.salt = new byte[16];
        bits.get(session.salt);
        return session;
    }

    SessionKey key() {
        return new SessionKey(appId, sessionId);
    }

    /** The part of the session ID that doesn't come from its expiry time, from the hyphen before it on. */
    static String idTail(UUID sessionId) {
        return sessionId.toString().substring(13);
    }

    /** Whether the row has the expiry time that its ID has; else somebody has changed it. */
    boolean hasTheExpiryOfItsId() {
        return sessionId.getMostSignificantBits() >>> 16 == expiresAt.toEpochMilli();
    }

    enum State {
        ISSUED("issued"),
        REDEEMED("redeemed"),
        LOCKED("locked"),
        /** Never stored: what a look-up says of any of the others when its time is over. */
        EXPIRED("expired");

        @EnumeratedValue
        final String value;

        State(String value) {
            this.value = value;
        }
    }

    record SessionKey(String appId, UUID sessionId) {}
}
