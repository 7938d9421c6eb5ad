package dev.countersign.challenge;

import jakarta.persistence.Entity;
import jakarta.persistence.EnumType;
import jakarta.persistence.Enumerated;
import jakarta.persistence.EnumeratedValue;
import jakarta.persistence.Id;
import jakarta.persistence.IdClass;
import jakarta.persistence.Table;
import jakarta.persistence.Transient;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A token's row. Never change a row that was found: concurrent callers may share the object. */
@Entity
@Table(name = "challenge_session")
@IdClass(ChallengeSession.SessionKey.class)
class ChallengeSession {

    @Id
    String appId;

    /** Version 8 (RFC 9562, section 5.8): the expiry time in Unix milliseconds, then 74 random bits. */
    @Id
    UUID sessionId;

    /** The generation of the app that the token belongs to. When the app is deleted, its tokens end with it. */
    long appGeneration;

    String keyId;

    /** Null once the token is redeemed or locked. Without it, the code can't be derived. */
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

    /** How many seconds the session is to live; null for the TTL of its app. Not stored. */
    @Transient
    @Nullable
    Integer ttlSeconds;

    /** Draws the salt and the random part of the ID. The database sets the generation, the times and the ID's beginning. */
    void draw(SecureRandom random) {
        byte[] bytes = new byte[10 + 16];
        random.nextBytes(bytes);
        ByteBuffer bits = ByteBuffer.wrap(bytes);
        sessionId = new UUID(0x8000 | (bits.getShort() & 0x0fff), Long.MIN_VALUE | (bits.getLong() >>> 2));
        salt = new byte[16];
        bits.get(salt);
    }

    SessionKey key() {
        return new SessionKey(appId, sessionId);
    }

    /** The end of the session ID, which doesn't depend on the expiry time. It begins with a hyphen. */
    static String idTail(UUID sessionId) {
        return sessionId.toString().substring(13);
    }

    /** Whether the expiry time of the row is that of the ID. If not, somebody changed the row. */
    boolean hasTheExpiryOfItsId() {
        return sessionId.getMostSignificantBits() >>> 16 == expiresAt.toEpochMilli();
    }

    enum State {
        ISSUED("issued"),
        REDEEMED("redeemed"),
        LOCKED("locked"),
        /** Never stored. A look-up reports it for any session whose time is over. */
        EXPIRED("expired");

        @EnumeratedValue
        final String value;

        State(String value) {
            this.value = value;
        }
    }

    record SessionKey(String appId, UUID sessionId) {}
}
