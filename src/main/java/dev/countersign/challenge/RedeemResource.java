package dev.countersign.challenge;

import dev.countersign.api.RedeemApi;
import dev.countersign.api.model.RedeemTokenReqObj;
import dev.countersign.api.model.RedeemTokenRespObj;
import dev.countersign.api.model.TokenState;
import dev.countersign.api.model.TokenStatusRespObj;
import io.quarkus.security.PermissionsAllowed;
import io.quarkus.security.identity.SecurityIdentity;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import jakarta.annotation.security.PermitAll;
import java.time.ZoneOffset;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Implements the contract's operations that the public API lacks: RedeemToken and GetTokenStatus. */
class RedeemResource implements RedeemApi {

    private static final String REPLAYED = "Idempotent-Replayed";

    private final ChallengeService service;
    private final SecurityIdentity identity;
    private final TokenContext contexts;
    private final RoutingContext request;

    RedeemResource(ChallengeService service, SecurityIdentity identity, TokenContext contexts, RoutingContext request) {
        this.service = service;
        this.identity = identity;
        this.contexts = contexts;
        this.request = request;
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
                identity.getPrincipal().getName(),
                idempotencyKey);
        HttpServerResponse response = request.response();
        return service.redeem(attempt).thenApply(redeemed -> {
            if (redeemed.repeated()) {
                response.putHeader(REPLAYED, "true");
            }
            RedeemTokenRespObj reply = new RedeemTokenRespObj();
            ChallengeSession session = redeemed.session();
            reply.setAppId(session.appId);
            reply.setSessionId(session.sessionId.toString());
            reply.setIssuedTo(session.issuedTo);
            reply.setSubject(session.subject);
            reply.setSubjectIssuer(session.subjectIssuer);
            reply.setContext(session.context == null ? null : contexts.read(session.context));
            reply.setIssuedAt(session.createdAt.atOffset(ZoneOffset.UTC));
            reply.setExpiresAt(session.expiresAt.atOffset(ZoneOffset.UTC));
            reply.setRedeemedAt(redeemed.at().atOffset(ZoneOffset.UTC));
            return reply;
        });
    }

    @Override
    @PermissionsAllowed({"issue", "read"})
    public CompletionStage<TokenStatusRespObj> getTokenStatus(String appId, String sessionId) {
        return service.status(
                        appId,
                        UUID.fromString(sessionId),
                        identity.getPrincipal().getName())
                .thenApply(session -> {
                    TokenStatusRespObj reply = new TokenStatusRespObj();
                    reply.setAppId(session.appId);
                    reply.setSessionId(session.sessionId.toString());
                    reply.setState(TokenState.valueOf(session.state.name()));
                    reply.setExpiresAt(session.expiresAt.atOffset(ZoneOffset.UTC));
                    reply.setSettledAt(session.settledAt == null ? null : session.settledAt.atOffset(ZoneOffset.UTC));
                    return reply;
                });
    }

    @Override
    @PermitAll
    public CompletionStage<Void> getTokenStatusOptions(String appId, String sessionId) {
        // The CORS filter has set the headers; there is nothing to add.
        return CompletableFuture.completedStage(null);
    }

    @Override
    @PermitAll
    public CompletionStage<Void> redeemTokenOptions(String appId, String sessionId) {
        // As above.
        return CompletableFuture.completedStage(null);
    }
}
