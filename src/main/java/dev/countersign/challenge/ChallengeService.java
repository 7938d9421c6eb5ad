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
import jakarta.inject.Inject;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiPredicate;
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
    private final BiPredicate<@Nullable String, @Nullable String> verifierFits;
    /** Not static: a native image would keep the seed of the build machine. */
    private final SecureRandom random = new SecureRandom();

    @Inject
    ChallengeService(
            ChallengeKeys keys,
            ChallengeSessionRepository sessions,
            RequestBudget budget,
            Audit audit,
            AppLimits limits,
            TokenCounts counts) {
        this(keys, sessions, budget, audit, limits, counts, CodeChallenge::isMet);
    }

    /** Takes another check of the verifier, for the test that shows why the check is needed. */
    ChallengeService(
            ChallengeKeys keys,
            ChallengeSessionRepository sessions,
            RequestBudget budget,
            Audit audit,
            AppLimits limits,
            TokenCounts counts,
            BiPredicate<@Nullable String, @Nullable String> verifierFits) {
        this.keys = keys;
        this.sessions = sessions;
        this.budget = budget;
        this.audit = audit;
        this.limits = limits;
        this.counts = counts;
        this.verifierFits = verifierFits;
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
    CompletionStage<Challenge> issue(String appId, Caller caller, TokenRequest request) {
        if (!mayAskFor(request.subject(), caller, appId)) {
            audit.refused("issue", "other subject", caller.name(), appId, null, request.subject());
            return CompletableFuture.failedStage(new ForbiddenException(
                    "AccessDeniedException", "The caller may not name this subject: it lacks the permission delegate"));
        }
        long deadline = deadline();
        return budget.within(limits.admit(AppLimit.CREATE_TOKEN, appId, caller.name())
                .thenCompose(_ -> {
                    ChallengeSession session =
                            ChallengeSession.of(appId, keys.activeKeyId(), caller.name(), request, random);
                    if (request.subject() != null && caller.isDelegate(appId)) {
                        // A delegate named the subject, so no issuer vouches for it.
                        session.subject = request.subject();
                    } else {
                        session.subject = caller.subject();
                        session.subjectIssuer = caller.subjectIssuer();
                    }
                    return sessions.insert(session, request.ttlSeconds(), deadline)
                            .thenApply(insertion -> issued(session, insertion));
                }));
    }

    private static boolean mayAskFor(@Nullable String subject, Caller caller, String appId) {
        return subject == null || subject.equals(caller.subject()) || caller.isDelegate(appId);
    }

    private Challenge issued(ChallengeSession session, Insertion insertion) {
        return switch (insertion) {
            case Insertion.UnknownApp _ -> {
                audit.refused("issue", "unknown app", session.issuedTo, session.appId, null, session.subject);
                counts.refused();
                throw NoSuchResourceException.app();
            }
            case Insertion.TtlTooLong(int most) ->
                throw new BadRequestException("ttlSeconds must be at most " + most + ", as for all tokens of this app");
            case Insertion.Done _ -> {
                audit.done("issue", session.issuedTo, session.appId, session.sessionId, session.subject);
                counts.issued();
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
    public CompletionStage<Challenge> read(String appId, UUID sessionId, String principal) {
        long deadline = deadline();
        return budget.within(limits.admit(AppLimit.READ, appId, principal)
                .thenCompose(_ -> sessions.find(new SessionKey(appId, sessionId), deadline))
                .thenApply(found -> {
                    String refusal = refusal(found);
                    if (refusal != null) {
                        throw refused("read", refusal, found, principal, new SessionKey(appId, sessionId));
                    }
                    ChallengeSession session = found.orElseThrow();
                    audit.done("read", principal, appId, sessionId, session.subject);
                    return new Challenge(
                            session,
                            ChallengeCode.derive(keys.key(session.keyId).orElseThrow(), session));
                }));
    }

    /**
     * Returns a token's state until its expiry time: issued, redeemed or locked. Changes nothing, and counts as a read
     * for limits. Fails as {@link #read} does, but not for a token that was redeemed or locked.
     */
    CompletionStage<ChallengeSession> status(String appId, UUID sessionId, String principal) {
        long deadline = deadline();
        return budget.within(limits.admit(AppLimit.READ, appId, principal)
                .thenCompose(_ -> sessions.find(new SessionKey(appId, sessionId), deadline))
                .thenApply(found -> {
                    if (found.filter(session -> session.state != EXPIRED && session.hasTheExpiryOfItsId())
                            .isEmpty()) {
                        String refusal = Objects.requireNonNullElse(refusal(found), "unknown");
                        throw refused("status", refusal, found, principal, new SessionKey(appId, sessionId));
                    }
                    ChallengeSession session = found.orElseThrow();
                    audit.done("status", principal, appId, sessionId, session.subject);
                    return session;
                }));
    }

    /**
     * Removes a live token. Of several concurrent calls for one token, exactly one succeeds; the others, and later
     * calls, fail with {@link NoSuchResourceException}. Fails with {@link TooManyRequestsException} when too many
     * tokens of the app were removed lately.
     */
    public CompletionStage<Void> remove(String appId, UUID sessionId, String principal) {
        long deadline = deadline();
        // The audit and the count belong to the inner stage: they also happen when the request has timed out meanwhile.
        return budget.within(limits.admit(AppLimit.REMOVE, appId, principal)
                .thenCompose(_ -> sessions.remove(new SessionKey(appId, sessionId), deadline)
                        .thenAccept(removed -> {
                            if (!removed) {
                                audit.refused("remove", "no live token", principal, appId, sessionId);
                                counts.refused();
                                throw NoSuchResourceException.token();
                            }
                            audit.done("remove", principal, appId, sessionId);
                            counts.removed();
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
        long deadline = deadline();
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
                    counts.redeemed();
                    return CompletableFuture.completedStage(new Redeemed(found, redeemedAt.get(), false));
                });
    }

    /** Refuses the attempt, unless it repeats a successful one. */
    private CompletionStage<Redeemed> repeatOrRefuse(
            Optional<ChallengeSession> found, RedeemAttempt attempt, long deadline) {
        Redeemed before =
                found.flatMap(session -> earlierResult(session, attempt)).orElse(null);
        if (before != null) {
            audit.repeated("redeem", attempt.principal(), attempt.appId(), attempt.sessionId(), before.session.subject);
            return CompletableFuture.completedStage(before);
        }
        return sessions.countAttempt(attempt.key(), deadline).thenApply(locked -> {
            String refusal = Objects.requireNonNullElse(refusal(found), "wrong code");
            RuntimeException refused = refused("redeem", refusal, found, attempt.principal(), attempt.key());
            if (locked) {
                audit.done("lock", attempt.principal(), attempt.appId(), attempt.sessionId(), subject(found));
                counts.locked();
            }
            throw refused;
        });
    }

    /** Audits and counts a refusal. Returns the exception for the caller, which is always the same. */
    private NoSuchResourceException refused(
            String event, String reason, Optional<ChallengeSession> found, String principal, SessionKey key) {
        audit.refused(event, reason, principal, key.appId(), key.sessionId(), subject(found));
        counts.refused(hasExpired(found));
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
        Optional<SecretKey> key = refusal(found) == null ? keys.key(session.keyId) : Optional.empty();
        boolean matches =
                ChallengeCode.derive(key.orElse(keys.activeKey()), session).matches(attempt.code());
        boolean fits = verifierFits.test(session.codeChallenge, attempt.verifier());
        return matches && fits && key.isPresent();
    }

    /** Why the session's code can't be used, for the audit only; null for a live token. */
    private @Nullable String refusal(Optional<ChallengeSession> found) {
        if (found.isEmpty()) {
            return "unknown";
        }
        ChallengeSession session = found.get();
        if (session.state != ISSUED) {
            return session.state.value;
        } else if (!session.hasTheExpiryOfItsId()) {
            return "expiry changed";
        }
        return keys.key(session.keyId).isPresent() ? null : "key gone";
    }

    private static @Nullable String subject(Optional<ChallengeSession> found) {
        return found.map(session -> session.subject).orElse(null);
    }

    private static boolean hasExpired(Optional<ChallengeSession> found) {
        return found.filter(session -> session.state == EXPIRED).isPresent();
    }

    /** When the request's time is over, in {@link System#nanoTime}. */
    private long deadline() {
        return budget.deadline();
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
