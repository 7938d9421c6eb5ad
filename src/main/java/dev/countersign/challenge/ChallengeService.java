package dev.countersign.challenge;

import dev.countersign.access.Audit;
import dev.countersign.error.NoSuchResourceException;
import dev.countersign.error.TooManyRequestsException;
import dev.countersign.error.UnavailableException;
import dev.countersign.http.RequestBudget;
import dev.countersign.limit.AppLimit;
import dev.countersign.limit.AppLimits;
import io.quarkus.narayana.jta.QuarkusTransaction;
import io.quarkus.narayana.jta.TransactionRunner;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.persistence.PessimisticLockException;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Issues, reads, removes and redeems tokens. No method blocks: each gives a stage that ends within the request's time
 * budget, with an {@link UnavailableException} if need be, and only after what it wrote is durable.
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
     * Makes a token for an app. Concurrent calls give different tokens, always. Fails with
     *
     * <ul>
     *   <li>{@link NoSuchResourceException} when the app is not registered
     *   <li>{@link TooManyRequestsException} when too many were made for the app lately
     * </ul>
     *
     * @param issuedTo the name of the principal that asks, empty when nobody is known
     */
    public CompletionStage<Challenge> issue(String appId, String issuedTo) {
        return budget.within(limits.admit(AppLimit.CREATE_TOKEN, appId, issuedTo)
                .thenCompose(_ -> {
                    NewSession session = NewSession.of(appId, keys.activeKeyId(), issuedTo);
                    return writer.write(session).thenApply(written -> issued(session, written.orElse(null)));
                }));
    }

    private Challenge issued(NewSession session, SessionWriter.@Nullable Written written) {
        if (written == null) {
            audit.refused("issue", "unknown app", session.issuedTo(), session.appId(), null);
            counts.refused();
            throw NoSuchResourceException.app();
        }
        audit.done("issue", session.issuedTo(), session.appId(), written.sessionId());
        counts.issued();
        return challenge(session.appId(), written.sessionId(), written.expiresAt(), session.keyId(), session.salt());
    }

    /**
     * Gives the same token as {@link #issue} did, while it lives. Changes nothing. Fails with
     *
     * <ul>
     *   <li>{@link NoSuchResourceException} when the app has no such live token
     *   <li>{@link TooManyRequestsException} when too many of the app's were read lately
     * </ul>
     */
    public CompletionStage<Challenge> read(String appId, UUID sessionId, String principal) {
        return budget.within(limits.admit(AppLimit.READ, appId, principal)
                .thenCompose(_ -> reader.find(appId, sessionId))
                .thenApply(found -> {
                    FoundSession.Live live = found.live();
                    if (live == null) {
                        audit.refused("read", "no live token", principal, appId, sessionId);
                        counts.refused(found);
                        throw NoSuchResourceException.token();
                    }
                    audit.done("read", principal, appId, sessionId);
                    return challenge(appId, sessionId, live.expiresAt(), live.keyId(), live.salt());
                }));
    }

    private Challenge challenge(String appId, UUID sessionId, Instant expiresAt, String keyId, byte[] salt) {
        return new Challenge(
                appId, sessionId, expiresAt, ChallengeCode.derive(keys.key(keyId), appId, sessionId, salt));
    }

    /**
     * Ends a live token. Of several concurrent calls for one token, exactly one succeeds; the others, and those that
     * come later, fail with {@link NoSuchResourceException}. Fails with {@link TooManyRequestsException} when too many of
     * the app's were removed lately.
     */
    public CompletionStage<Void> remove(String appId, UUID sessionId, String principal) {
        return budget.within(limits.admit(AppLimit.REMOVE, appId, principal)
                .thenCompose(_ -> budget.spend(() -> deleteLive(appId, sessionId)))
                .thenAccept(removed -> {
                    if (!removed) {
                        audit.refused("remove", "no live token", principal, appId, sessionId);
                        counts.refused();
                        throw NoSuchResourceException.token();
                    }
                    audit.done("remove", principal, appId, sessionId);
                    counts.removed();
                }));
    }

    private static boolean deleteLive(String appId, UUID sessionId) {
        TransactionRunner transaction = QuarkusTransaction.requiringNew();
        try {
            return transaction.call(() -> ChallengeSession.deleteLive(appId, sessionId));
        } catch (PessimisticLockException e) {
            // PostgreSQL ended a deadlock with a migration by rolling this back, so nothing has happened yet.
            return transaction.call(() -> ChallengeSession.deleteLive(appId, sessionId));
        }
    }

    /**
     * Redeems a code: each code works exactly once, whatever happens. Of all calls that present the right code of a live
     * token, however concurrent and in whatever process, one succeeds and its success is durable; every other one is
     * refused. The exception is the same principal's repeat with the same idempotency key and code, which gets the same
     * result again while the token would have lived.
     *
     * <p>A wrong code costs an attempt, durably, and the last one locks the token. Why a call was refused can't be told
     * from the exception, nor from the time it took. Fails with
     *
     * <ul>
     *   <li>{@link NoSuchResourceException} when the code is wrong, or the app has no such live token
     *   <li>{@link TooManyRequestsException} when too many codes were tried with the app lately; this one was not, and
     *       cost no attempt
     * </ul>
     */
    public CompletionStage<Redeemed> redeem(RedeemAttempt attempt) {
        return budget.within(limits.admit(AppLimit.REDEEM, attempt.appId(), attempt.principal())
                .thenCompose(_ -> reader.find(attempt.appId(), attempt.sessionId()))
                .thenCompose(found ->
                        codeIsRight(found, attempt) ? redeem(found, attempt) : repeatOrRefuse(found, attempt)));
    }

    private CompletionStage<Redeemed> redeem(FoundSession found, RedeemAttempt attempt) {
        return redemption.redeem(attempt).thenCompose(redeemedAt -> {
            if (redeemedAt.isEmpty()) {
                // Somebody was faster, and it may have been this caller's own first try.
                return reader.find(attempt.appId(), attempt.sessionId())
                        .thenCompose(now -> repeatOrRefuse(now, attempt));
            }
            audit.done("redeem", attempt.principal(), attempt.appId(), attempt.sessionId());
            counts.redeemed();
            return CompletableFuture.completedStage(found.redeemed(attempt, redeemedAt.get()));
        });
    }

    /** Refuses, unless the attempt repeats one that was successful. */
    private CompletionStage<Redeemed> repeatOrRefuse(FoundSession found, RedeemAttempt attempt) {
        Redeemed before = found.earlierResultOf(attempt).orElse(null);
        if (before != null) {
            audit.repeated("redeem", attempt.principal(), attempt.appId(), attempt.sessionId());
            return CompletableFuture.completedStage(before);
        }
        return budget.spend(() -> redemption.countAttempt(attempt)).thenApply(locked -> {
            audit.refused("redeem", found.refusal(), attempt.principal(), attempt.appId(), attempt.sessionId());
            counts.refused(found);
            if (locked) {
                audit.done("lock", attempt.principal(), attempt.appId(), attempt.sessionId());
                counts.locked();
            }
            throw NoSuchResourceException.token();
        });
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
