package dev.countersign.challenge;

import dev.countersign.access.Audit;
import dev.countersign.error.NoSuchResourceException;
import dev.countersign.error.TooManyRequestsException;
import dev.countersign.http.RequestBudget;
import dev.countersign.limit.AppLimit;
import dev.countersign.limit.AppLimits;
import io.quarkus.narayana.jta.QuarkusTransaction;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.UUID;

/**
 * Issues, reads, removes and redeems tokens. Each call ends within the request's time budget, or throws.
 *
 * <p>Every write is durable before its method returns.
 */
@ApplicationScoped
public class ChallengeService {

    private static final byte[] NO_SALT = new byte[16];

    private final ChallengeKeys keys;
    private final SessionWriter writer;
    private final SessionReader reader;
    private final SessionRedemption redemption;
    private final RequestBudget budget;
    private final Audit audit;
    private final AppLimits limits;
    private final TokenCounts counts;

    ChallengeService(
            ChallengeKeys keys,
            SessionWriter writer,
            SessionReader reader,
            SessionRedemption redemption,
            RequestBudget budget,
            Audit audit,
            AppLimits limits,
            TokenCounts counts) {
        this.keys = keys;
        this.writer = writer;
        this.reader = reader;
        this.redemption = redemption;
        this.budget = budget;
        this.audit = audit;
        this.limits = limits;
        this.counts = counts;
    }

    /**
     * Makes a token for an app. Concurrent calls give different tokens, always.
     *
     * @param issuedTo the name of the principal that asks, empty when nobody is known
     * @throws NoSuchResourceException when the app is not registered
     * @throws TooManyRequestsException when too many were made for the app lately
     */
    public Challenge issue(String appId, String issuedTo) {
        return budget.spend(() -> {
            limits.admit(AppLimit.CREATE_TOKEN, appId);
            NewSession session = NewSession.of(appId, keys.activeKeyId(), issuedTo);
            SessionWriter.Written written = writer.write(session).orElse(null);
            if (written == null) {
                audit.refused("issue", "unknown app", appId, null);
                counts.refused();
                throw NoSuchResourceException.app();
            }
            audit.done("issue", appId, written.sessionId());
            counts.issued();
            return new Challenge(
                    appId,
                    written.sessionId(),
                    written.expiresAt(),
                    ChallengeCode.derive(keys.key(session.keyId()), appId, written.sessionId(), session.salt()));
        });
    }

    /**
     * Gives the same token as {@link #issue} did, while it lives. Changes nothing.
     *
     * @throws NoSuchResourceException when the app has no such live token
     * @throws TooManyRequestsException when too many of the app's were read lately
     */
    public Challenge read(String appId, UUID sessionId) {
        return budget.spend(() -> {
            limits.admit(AppLimit.READ, appId);
            FoundSession.Live live = reader.find(appId, sessionId).live();
            if (live == null) {
                audit.refused("read", "no live token", appId, sessionId);
                counts.refused();
                throw NoSuchResourceException.token();
            }
            audit.done("read", appId, sessionId);
            return new Challenge(
                    appId,
                    sessionId,
                    live.expiresAt(),
                    ChallengeCode.derive(keys.key(live.keyId()), appId, sessionId, live.salt()));
        });
    }

    /**
     * Ends a live token. Of several concurrent calls for one token, exactly one returns.
     *
     * @throws NoSuchResourceException when the app has no such live token, as after the first removal
     */
    public void remove(String appId, UUID sessionId) {
        boolean removed = budget.spend(
                () -> QuarkusTransaction.requiringNew().call(() -> ChallengeSession.deleteLive(appId, sessionId)));
        if (!removed) {
            audit.refused("remove", "no live token", appId, sessionId);
            counts.refused();
            throw NoSuchResourceException.token();
        }
        audit.done("remove", appId, sessionId);
        counts.removed();
    }

    /**
     * Redeems a code: each code works exactly once, whatever happens. Of all calls that present the right code of a live
     * token, however concurrent and in whatever process, one succeeds and its success is durable; every other one is
     * refused. The exception is the same principal's repeat with the same idempotency key and code, which gets the same
     * result again while the token would have lived.
     *
     * <p>A wrong code costs an attempt, durably, and the last one locks the token. Why a call was refused can't be told
     * from the exception, nor from the time it took.
     *
     * @throws NoSuchResourceException when the code is wrong, or the app has no such live token
     * @throws TooManyRequestsException when too many codes were tried with the app lately; this one was not, and cost no
     *     attempt
     */
    public Redeemed redeem(RedeemAttempt attempt) {
        return budget.spend(() -> redeemOnce(attempt));
    }

    private Redeemed redeemOnce(RedeemAttempt attempt) {
        limits.admit(AppLimit.REDEEM, attempt.appId());
        FoundSession found = reader.find(attempt.appId(), attempt.sessionId());
        boolean codeIsRight = codeIsRight(found, attempt);
        if (codeIsRight) {
            Redeemed redeemed = redemption.redeem(attempt).orElse(null);
            if (redeemed != null) {
                audit.done("redeem", attempt.appId(), attempt.sessionId());
                counts.redeemed();
                return redeemed;
            }
            // Somebody was faster, and it may have been this caller's own first try.
            found = reader.find(attempt.appId(), attempt.sessionId());
        }
        Redeemed before = found.earlierResultOf(attempt).orElse(null);
        if (before != null) {
            audit.repeated("redeem", attempt.appId(), attempt.sessionId());
            return before;
        }
        boolean locked = redemption.refuse(attempt);
        audit.refused("redeem", found.refusal(), attempt.appId(), attempt.sessionId());
        counts.refused();
        if (locked) {
            audit.done("lock", attempt.appId(), attempt.sessionId());
            counts.locked();
        }
        throw NoSuchResourceException.token();
    }

    /** Does the same work whether there is a code to compare with or not. */
    private boolean codeIsRight(FoundSession found, RedeemAttempt attempt) {
        FoundSession.Live live = found.live();
        String keyId = live == null ? keys.activeKeyId() : live.keyId();
        byte[] salt = live == null ? NO_SALT : live.salt();
        boolean matches = ChallengeCode.derive(keys.key(keyId), attempt.appId(), attempt.sessionId(), salt)
                .matches(attempt.code());
        return matches && live != null;
    }
}
