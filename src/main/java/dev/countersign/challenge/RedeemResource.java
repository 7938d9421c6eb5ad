package dev.countersign.challenge;

import dev.countersign.api.RedeemApi;
import dev.countersign.api.model.RedeemTokenReqObj;
import dev.countersign.api.model.RedeemTokenRespObj;
import io.quarkus.security.PermissionsAllowed;
import io.quarkus.security.identity.SecurityIdentity;
import jakarta.annotation.security.PermitAll;
import java.time.ZoneOffset;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The redeem operation of the contract. */
class RedeemResource implements RedeemApi {

    private final ChallengeService service;
    private final SecurityIdentity identity;

    RedeemResource(ChallengeService service, SecurityIdentity identity) {
        this.service = service;
        this.identity = identity;
    }

    @Override
    @PermissionsAllowed("redeem")
    public CompletionStage<RedeemTokenRespObj> redeemToken(
            String appId, String sessionId, RedeemTokenReqObj body, String idempotencyKey) {
        RedeemAttempt attempt = new RedeemAttempt(
                appId,
                UUID.fromString(sessionId),
                body.getChallengeCode(),
                identity.getPrincipal().getName(),
                idempotencyKey);
        return service.redeem(attempt).thenApply(redeemed -> {
            RedeemTokenRespObj reply = new RedeemTokenRespObj();
            ChallengeSession session = redeemed.session();
            reply.setAppId(session.appId);
            reply.setSessionId(session.sessionId.toString());
            reply.setIssuedTo(session.issuedTo);
            reply.setIssuedAt(session.createdAt.atOffset(ZoneOffset.UTC));
            reply.setRedeemedAt(redeemed.at().atOffset(ZoneOffset.UTC));
            return reply;
        });
    }

    @Override
    @PermitAll
    public CompletionStage<Void> redeemTokenOptions(String appId, String sessionId) {
        // The CORS filter has set the headers; there is nothing to add.
        return CompletableFuture.completedStage(null);
    }
}
