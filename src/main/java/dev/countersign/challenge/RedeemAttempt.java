package dev.countersign.challenge;

import java.security.MessageDigest;
import java.util.UUID;
import javax.crypto.SecretKey;
import org.jspecify.annotations.Nullable;

/**
 * A call that presents a code, and a verifier if the token requires one.
 *
 * @param code as presented, right or wrong
 * @param verifier as presented; null when none was
 * @param principal the name of the caller
 * @param idempotencyKey the key with which the caller can repeat the call; null when it won't
 */
record RedeemAttempt(
        String appId,
        UUID sessionId,
        String code,
        @Nullable String verifier,
        String principal,
        @Nullable String idempotencyKey) {

    ChallengeSession.SessionKey key() {
        return new ChallengeSession.SessionKey(appId, sessionId);
    }

    /**
     * The hash by which a repeat of this call is recognized; null without an idempotency key. It covers everything that
     * the reply tells except the time of redeeming, so that a repeat is refused if somebody changed the row.
     */
    byte @Nullable [] fingerprint(SecretKey key, ChallengeSession session) {
        return idempotencyKey == null
                ? null
                : KeyedHash.of(
                        key,
                        "countersign.redeem",
                        idempotencyKey,
                        code,
                        verifier,
                        principal,
                        session.appId,
                        session.sessionId,
                        session.createdAt,
                        session.expiresAt,
                        session.issuedTo,
                        session.subject,
                        session.subjectIssuer,
                        session.context);
    }

    /** Whether a call with the same values has redeemed the session. */
    boolean repeats(SecretKey key, ChallengeSession session) {
        byte[] fingerprint = fingerprint(key, session);
        return fingerprint != null
                && principal.equals(session.redeemedBy)
                && session.redeemFingerprint != null
                && MessageDigest.isEqual(session.redeemFingerprint, fingerprint);
    }

    /** Without the code and the verifier. */
    @Override
    public String toString() {
        return "RedeemAttempt[appId=" + appId + ", sessionId=" + sessionId + ", principal=" + principal + "]";
    }
}
