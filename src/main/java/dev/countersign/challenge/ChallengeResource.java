package dev.countersign.challenge;

import dev.countersign.access.Caller;
import dev.countersign.api.ChallengeApi;
import dev.countersign.api.RedeemApi;
import dev.countersign.api.model.CreateTokenReqObj;
import dev.countersign.api.model.CreateTokenRespObj;
import dev.countersign.api.model.DeleteTokenRespObj;
import dev.countersign.api.model.GetTokenRespObj;
import dev.countersign.api.model.RedeemTokenReqObj;
import dev.countersign.api.model.RedeemTokenRespObj;
import dev.countersign.api.model.TokenState;
import dev.countersign.api.model.TokenStatusRespObj;
import dev.countersign.challenge.ChallengeService.Challenge;
import dev.countersign.challenge.ChallengeSession.SessionKey;
import dev.countersign.error.BadRequestException;
import dev.countersign.error.UnicodeText;
import io.quarkus.security.PermissionsAllowed;
import io.quarkus.security.identity.SecurityIdentity;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import jakarta.annotation.security.PermitAll;
import java.time.ZoneOffset;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Implements the contract's operations on tokens. */
class ChallengeResource implements ChallengeApi, RedeemApi {

    private static final String REPLAYED = "Idempotent-Replayed";

    private final ChallengeService service;
    private final SecurityIdentity identity;
    private final TokenContext contexts;
    private final RoutingContext request;

    ChallengeResource(
            ChallengeService service, SecurityIdentity identity, TokenContext contexts, RoutingContext request) {
        this.service = service;
        this.identity = identity;
        this.contexts = contexts;
        this.request = request;
    }

    @Override
    @PermissionsAllowed("issue")
    public CompletionStage<CreateTokenRespObj> createToken(String appId, @Nullable CreateTokenReqObj body) {
        return service.issue(asked(appId, body), Caller.of(identity))
                .thenApply(challenge -> new CreateTokenRespObj()
                        .appId(challenge.session().appId)
                        .sessionId(challenge.session().sessionId.toString())
                        .ttl(ttl(challenge))
                        .challengeCode(challenge.code().reveal()));
    }

    @Override
    @PermissionsAllowed("read")
    public CompletionStage<GetTokenRespObj> getToken(String appId, String sessionId) {
        return service.read(key(appId, sessionId), principal())
                .thenApply(challenge -> new GetTokenRespObj()
                        .appId(challenge.session().appId)
                        .sessionId(challenge.session().sessionId.toString())
                        .ttl(ttl(challenge))
                        .challengeCode(challenge.code().reveal()));
    }

    @Override
    @PermissionsAllowed("remove")
    public CompletionStage<DeleteTokenRespObj> deleteToken(String appId, String sessionId) {
        return service.remove(key(appId, sessionId), principal())
                .thenApply(_ -> new DeleteTokenRespObj().isSuccess(true));
    }

    @Override
    @PermissionsAllowed("redeem")
    public CompletionStage<RedeemTokenRespObj> redeemToken(
            String appId, String sessionId, RedeemTokenReqObj body, String idempotencyKey) {
        RedeemAttempt attempt = new RedeemAttempt(
                appId,
                UUID.fromString(sessionId),
                body.getChallengeCode(),
                body.getCodeVerifier(),
                principal(),
                idempotencyKey);
        HttpServerResponse response = request.response();
        return service.redeem(attempt).thenApply(redeemed -> {
            if (redeemed.repeated()) {
                response.putHeader(REPLAYED, "true");
            }
            ChallengeSession session = redeemed.session();
            return new RedeemTokenRespObj()
                    .appId(session.appId)
                    .sessionId(session.sessionId.toString())
                    .issuedTo(session.issuedTo)
                    .subject(session.subject)
                    .subjectIssuer(session.subjectIssuer)
                    .context(session.context == null ? null : contexts.read(session.context))
                    .issuedAt(session.createdAt.atOffset(ZoneOffset.UTC))
                    .expiresAt(session.expiresAt.atOffset(ZoneOffset.UTC))
                    .redeemedAt(redeemed.at().atOffset(ZoneOffset.UTC));
        });
    }

    @Override
    @PermissionsAllowed({"issue", "read"})
    public CompletionStage<TokenStatusRespObj> getTokenStatus(String appId, String sessionId) {
        return service.status(key(appId, sessionId), principal())
                .thenApply(session -> new TokenStatusRespObj()
                        .appId(session.appId)
                        .sessionId(session.sessionId.toString())
                        .state(TokenState.valueOf(session.state.name()))
                        .expiresAt(session.expiresAt.atOffset(ZoneOffset.UTC))
                        .settledAt(session.settledAt == null ? null : session.settledAt.atOffset(ZoneOffset.UTC)));
    }

    @Override
    @PermitAll
    public CompletionStage<Void> createTokenOptions(String appId) {
        // The CORS filter has set the headers; there is nothing to add.
        return CompletableFuture.completedStage(null);
    }

    @Override
    @PermitAll
    public CompletionStage<Void> getTokenOptions(String appId, String sessionId) {
        // As above.
        return CompletableFuture.completedStage(null);
    }

    @Override
    @PermitAll
    public CompletionStage<Void> deleteTokenOptions(String appId, String sessionId) {
        // As above.
        return CompletableFuture.completedStage(null);
    }

    @Override
    @PermitAll
    public CompletionStage<Void> redeemTokenOptions(String appId, String sessionId) {
        // As above.
        return CompletableFuture.completedStage(null);
    }

    @Override
    @PermitAll
    public CompletionStage<Void> getTokenStatusOptions(String appId, String sessionId) {
        // As above.
        return CompletableFuture.completedStage(null);
    }

    /** A session with what the caller asks for. */
    private ChallengeSession asked(String appId, @Nullable CreateTokenReqObj body) {
        ChallengeSession session = new ChallengeSession();
        session.appId = appId;
        if (body == null) {
            if (request.body().length() > 0) {
                // The body is JSON's null, which Jackson treats as no body.
                throw new BadRequestException("The body is not the JSON object that the contract describes");
            }
            return session;
        }
        if (body.getSubject() != null) {
            UnicodeText.require("subject", body.getSubject());
        }
        session.subject = body.getSubject();
        session.context = body.getContext() == null ? null : contexts.write(body.getContext());
        session.ttlSeconds = body.getTtlSeconds();
        session.codeChallenge = body.getCodeChallenge();
        return session;
    }

    private static SessionKey key(String appId, String sessionId) {
        return new SessionKey(appId, UUID.fromString(sessionId));
    }

    private String principal() {
        return identity.getPrincipal().getName();
    }

    /** The expiry time in whole seconds. It is rounded down, so that a client that trusts it never comes too late. */
    private static String ttl(Challenge challenge) {
        return Long.toString(challenge.session().expiresAt.getEpochSecond());
    }
}
