package dev.countersign.challenge;

import dev.countersign.api.RedeemApi;
import dev.countersign.api.model.RedeemTokenReqObj;
import dev.countersign.api.model.RedeemTokenRespObj;
import io.quarkus.security.PermissionsAllowed;
import io.quarkus.security.identity.SecurityIdentity;
import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.annotation.security.PermitAll;
import java.time.ZoneOffset;
import java.util.UUID;

/** The redeem operation of the contract. */
@RunOnVirtualThread
class RedeemResource implements RedeemApi {

    private final ChallengeService service;
    private final SecurityIdentity identity;

    RedeemResource(ChallengeService service, SecurityIdentity identity) {
        this.service = service;
        this.identity = identity;
    }

    @Override
    @PermissionsAllowed("redeem")
    public RedeemTokenRespObj redeemToken(
            String appId, String sessionId, RedeemTokenReqObj body, String idempotencyKey) {
        Redeemed redeemed = service.redeem(new RedeemAttempt(
                appId,
                UUID.fromString(sessionId),
                body.getChallengeCode(),
                identity.getPrincipal().getName(),
                idempotencyKey));
        RedeemTokenRespObj reply = new RedeemTokenRespObj();
        reply.setAppId(redeemed.appId());
        reply.setSessionId(redeemed.sessionId().toString());
        reply.setIssuedTo(redeemed.issuedTo());
        reply.setIssuedAt(redeemed.issuedAt().atOffset(ZoneOffset.UTC));
        reply.setRedeemedAt(redeemed.redeemedAt().atOffset(ZoneOffset.UTC));
        return reply;
    }

    @Override
    @PermitAll
    public void redeemTokenOptions(String appId, String sessionId) {
        // The CORS filter has set the headers; there is nothing to add.
    }
}
