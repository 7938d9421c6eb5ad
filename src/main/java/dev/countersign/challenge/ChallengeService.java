package dev.countersign.challenge;

import static dev.countersign.challenge.ChallengeSession.State.EXPIRED;
import static dev.countersign.challenge.ChallengeSession.State.ISSUED;
import static dev.countersign.challenge.ChallengeSession.State.REDEEMED;

import dev.countersign.access.Audit;
import dev.countersign.access.Caller;
import dev.countersign.challenge.ChallengeSession.SessionKey;
import dev.countersign.challenge.ChallengeSessionRepository.Insertion;
import dev.countersign.error.BadRequestException;
import dev.countersign.error.ForbiddenException;
import dev.countersign.error.NoSuchResourceException;
import dev.countersign.error.TooManyRequestsException;
import dev.countersign.error.UnavailableException;
import dev.countersign.http.RequestBudget;
import dev.countersign.limit.AppLimit;
import dev.countersign.limit.AppLimits;
import jakarta.enterprise.context.ApplicationScoped;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;
import javax.crypto.SecretKey;
import org.jspecify.annotations.Nullable;

/**
 * Issues, reads, removes and redeems tokens. No method blocks. Each returns a stage that completes within the request's
 * time budget, with an {@link UnavailableException} if it must. Whatever a method wrote is durable before its stage
 * completes with a result.
 */
@ApplicationScoped
public class ChallengeService {

    /** Stands in for a session that was not found. Nobody presents its code. */
    private static final ChallengeSession NO_SESSION = new ChallengeSession();

    private final ChallengeKeys keys;
    private final ChallengeSessionRepository sessions;
    private final RequestBudget budget;
    private final Audit audit;
    private final AppLimits limits;
    private final TokenCounts counts;
    /** Not static: a native image would keep the seed of the build machine. */
    private final SecureRandom random = new SecureRandom();

    ChallengeService(
            ChallengeKeys keys,
            ChallengeSessionRepository sessions,
            RequestBudget budget,
            Audit audit,
            AppLimits limits,
            TokenCounts counts) {
        this.keys = keys;
        this.sessions = sessions;
        this.budget = budget;
        this.audit = audit;
        this.limits = limits;
        this.counts = counts;
    }

    /**
     * Creates a token for an app. Concurrent calls always create different tokens. Fails with
     *
     * <ul>
     *   <li>{@link NoSuchResourceException} when the app is not registered
     *   <li>{@link TooManyRequestsException} when too many tokens were created for the app lately
     *   <li>{@link ForbiddenException} when the caller may not name the requested subject
     *   <li>{@link BadRequestException} when the requested lifetime is longer than that of the app's tokens
     * </ul>
     *
     * <p>If the request names no subject, the token is for the caller's own.
     */
    CompletionStage<Challenge> issue(ChallengeSession session, Caller caller) {
        // A delegate may name any subject. Then no issuer vouches for it.
        boolean isDelegated = session.subject != null && caller.isDelegate(session.appId);
        if (session.subject != null && !isDelegated && !session.subject.equals(caller.subject())) {
            audit.refused("issue", "other subject", caller.name(), session.appId, null, session.subject);
            return CompletableFuture.failedStage(new ForbiddenException(
                    "AccessDeniedException", "The caller may not name this subject: it lacks the permission delegate"));
        }
        if (!isDelegated) {
            session.subject = caller.subject();
            session.subjectIssuer = caller.subjectIssuer();
        }
        session.keyId = keys.activeKeyId();
        session.issuedTo = caller.name();
        long deadline = budget.deadline();
        return budget.within(limits.admit(AppLimit.CREATE_TOKEN, session.appId, caller.name())
                .thenCompose(_ -> {
                    session.draw(random);
                    return sessions.insert(session, deadline).thenApply(insertion -> issued(session, insertion));
                }));
    }

    private Challenge issued(ChallengeSession session, Insertion insertion) {
        return switch (insertion) {
            case Insertion.UnknownApp _ -> {
                audit.refused("issue", "unknown app", session.issuedTo, session.appId, null, session.subject);
                counts.refused.increment();
                throw NoSuchResourceException.app();
            }
            case Insertion.TtlTooLong(int most) ->
                throw new BadRequestException("ttlSeconds must be at most " + most + ", as for all tokens of this app");
            case Insertion.Done _ -> {
                audit.done("issue", session.issuedTo, session.appId, session.sessionId, session.subject);
                counts.issued.increment();
                yield new Challenge(session, ChallengeCode.derive(keys.activeKey(), session));
            }
        };
    }

    /**
     * Returns a live token with the same code that {@link #issue} returned. Changes nothing. Fails with
     *
     * <ul>
     *   <li>{@link NoSuchResourceException} when the app has no such live token
     *   <li>{@link TooManyRequestsException} when too many tokens of the app were read lately
     * </ul>
     */
    public CompletionStage<Challenge> read(SessionKey key, String principal) {
        return look("read", key, principal, session -> refusal(session) == null)
                .thenApply(session -> new Challenge(
                        session, ChallengeCode.derive(keys.key(session.keyId).orElseThrow(), session)));
    }

    /**
     * Returns a token's state until its expiry time: issued, redeemed or locked. Changes nothing, and counts as a read
     * for limits. Fails as {@link #read} does, but not for a token that was redeemed or locked.
     */
    CompletionStage<ChallengeSession> status(SessionKey key, String principal) {
        return look("status", key, principal, session -> session.state != EXPIRED && session.hasTheExpiryOfItsId());
    }

    private CompletionStage<ChallengeSession> look(
            String event, SessionKey key, String principal, Predicate<ChallengeSession> isShown) {
        long deadline = budget.deadline();
        return budget.within(limits.admit(AppLimit.READ, key.appId(), principal)
                .thenCompose(_ -> sessions.find(key, deadline))
                .thenApply(found -> {
                    ChallengeSession session =
                            found.filter(isShown).orElseThrow(() -> refused(event, found, principal, key));
                    audit.done(event, principal, key.appId(), key.sessionId(), session.subject);
                    return session;
                }));
    }

    /**
     * Removes a live token. Of several concurrent calls for one token, exactly one succeeds; the others, and later
     * calls, fail with {@link NoSuchResourceException}. Fails with {@link TooManyRequestsException} when too many
     * tokens of the app were removed lately.
     */
    public CompletionStage<Void> remove(SessionKey key, String principal) {
        long deadline = budget.deadline();
        // The audit and the count belong to the inner stage: they also happen when the request has timed out meanwhile.
        return budget.within(limits.admit(AppLimit.REMOVE, key.appId(), principal)
                .thenCompose(_ -> sessions.remove(key, deadline).thenAccept(removed -> {
                    if (!removed) {
                        audit.refused("remove", "no live token", principal, key.appId(), key.sessionId(), null);
                        counts.refused.increment();
                        throw NoSuchResourceException.token();
                    }
                    audit.done("remove", principal, key.appId(), key.sessionId(), null);
                    counts.removed.increment();
                })));
    }

    /**
     * Redeems a code. Each code works exactly once, whatever happens. Of all calls with the right code of a live token,
     * however concurrent and in whatever process, one succeeds, and its success is durable. Every other call is
     * refused, except a repeat: the same principal with the same idempotency key, code and verifier gets the same
     * result again until the token's expiry time.
     *
     * <p>A wrong code or a wrong verifier costs an attempt, durably, and the last attempt locks the token. Neither the
     * exception nor the time that the call took tells why it was refused. Fails with
     *
     * <ul>
     *   <li>{@link NoSuchResourceException} when the code or the verifier is wrong, or the app has no such live token
     *   <li>{@link TooManyRequestsException} when too many codes were tried with the app lately; this code was not
     *       tried and cost no attempt
     * </ul>
     */
    public CompletionStage<Redeemed> redeem(RedeemAttempt attempt) {
        long deadline = budget.deadline();
        return budget.within(limits.admit(AppLimit.REDEEM, attempt.appId(), attempt.principal())
                .thenCompose(_ -> sessions.find(attempt.key(), deadline))
                .thenCompose(found -> codeIsRight(found, attempt)
                        ? redeem(found.orElseThrow(), attempt, deadline)
                        : repeatOrRefuse(found, attempt, deadline)));
    }

    /**
     * Redeems a session whose code was right. The reply describes {@code found}; only the time comes from the updated
     * row.
     */
    private CompletionStage<Redeemed> redeem(ChallengeSession found, RedeemAttempt attempt, long deadline) {
        byte[] fingerprint = attempt.fingerprint(keys.key(found.keyId).orElseThrow(), found);
        return sessions.redeem(found.key(), attempt.principal(), fingerprint, deadline)
                .thenCompose(redeemedAt -> {
                    if (redeemedAt.isEmpty()) {
                        // Another call was faster. It may have been this caller's own first try.
                        return sessions.find(attempt.key(), deadline)
                                .thenCompose(now -> repeatOrRefuse(now, attempt, deadline));
                    }
                    audit.done("redeem", attempt.principal(), attempt.appId(), attempt.sessionId(), found.subject);
                    counts.redeemed.increment();
                    return CompletableFuture.completedStage(new Redeemed(found, redeemedAt.get(), false));
                });
    }

    /** Refuses the attempt, unless it repeats a successful one. */
    private CompletionStage<Redeemed> repeatOrRefuse(
            Optional<ChallengeSession> found, RedeemAttempt attempt, long deadline) {
        Optional<Redeemed> before = found.flatMap(session -> earlierResult(session, attempt));
        ChallengeSession session = found.orElse(NO_SESSION);
        if (before.isPresent()) {
            audit.repeated("redeem", attempt.principal(), attempt.appId(), attempt.sessionId(), session.subject);
            return CompletableFuture.completedStage(before.get());
        }
        return sessions.countAttempt(attempt.key(), deadline).thenApply(locked -> {
            RuntimeException refused = refused("redeem", found, attempt.principal(), attempt.key());
            if (locked) {
                audit.done("lock", attempt.principal(), attempt.appId(), attempt.sessionId(), session.subject);
                counts.locked.increment();
            }
            throw refused;
        });
    }

    /** Audits and counts a refusal. Returns the exception for the caller, which is always the same. */
    private NoSuchResourceException refused(
            String event, Optional<ChallengeSession> found, String principal, SessionKey key) {
        ChallengeSession session = found.orElse(NO_SESSION);
        String reason = found.isEmpty() ? "unknown" : Objects.requireNonNullElse(refusal(session), "wrong code");
        audit.refused(event, reason, principal, key.appId(), key.sessionId(), session.subject);
        counts.refused.increment();
        if (session.state == EXPIRED) {
            counts.expired.increment();
        }
        return NoSuchResourceException.token();
    }

    private Optional<Redeemed> earlierResult(ChallengeSession session, RedeemAttempt attempt) {
        Instant at = session.settledAt;
        return session.state == REDEEMED
                        && at != null
                        && session.hasTheExpiryOfItsId()
                        && keys.key(session.keyId)
                                .filter(key -> attempt.repeats(key, session))
                                .isPresent()
                ? Optional.of(new Redeemed(session, at, true))
                : Optional.empty();
    }

    /** Whether the code and the verifier are right. Does the same work whether there is a session or not. */
    private boolean codeIsRight(Optional<ChallengeSession> found, RedeemAttempt attempt) {
        ChallengeSession session = found.orElse(NO_SESSION);
        Optional<SecretKey> key = found.filter(live -> refusal(live) == null).flatMap(live -> keys.key(live.keyId));
        boolean matches =
                ChallengeCode.derive(key.orElse(keys.activeKey()), session).matches(attempt.code());
        boolean fits = verifierFits(session.codeChallenge, attempt.verifier());
        return matches && fits && key.isPresent();
    }

    /** Overridden by the test that shows why the check is needed. */
    boolean verifierFits(@Nullable String challenge, @Nullable String verifier) {
        return CodeChallenge.isMet(challenge, verifier);
    }

    /** Why the session's code can't be used, for the audit only; null for a live token. */
    private @Nullable String refusal(ChallengeSession session) {
        if (session.state != ISSUED) {
            return session.state.value;
        } else if (!session.hasTheExpiryOfItsId()) {
            return "expiry changed";
        }
        return keys.key(session.keyId).isPresent() ? null : "key gone";
    }

    /** A live token and its code. */
    record Challenge(ChallengeSession session, ChallengeCode code) {}

    /**
     * A redeemed token.
     *
     * @param at when it was redeemed, by the database's clock
     * @param repeated whether an earlier call redeemed it
     */
    record Redeemed(ChallengeSession session, Instant at, boolean repeated) {}
}
