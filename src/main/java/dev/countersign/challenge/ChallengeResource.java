package dev.countersign.challenge;

import dev.countersign.api.ChallengeApi;
import dev.countersign.api.model.CreateTokenRespObj;
import dev.countersign.api.model.DeleteTokenRespObj;
import dev.countersign.api.model.GetTokenRespObj;
import io.quarkus.security.PermissionsAllowed;
import io.quarkus.security.identity.SecurityIdentity;
import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.annotation.security.PermitAll;
import java.util.UUID;

/** The challenge operations of the contract. */
@RunOnVirtualThread
class ChallengeResource implements ChallengeApi {

    private final ChallengeService service;
    private final SecurityIdentity identity;

    ChallengeResource(ChallengeService service, SecurityIdentity identity) {
        this.service = service;
        this.identity = identity;
    }

    @Override
    @PermissionsAllowed("issue")
    public CreateTokenRespObj createToken(String appId) {
        Challenge challenge = service.issue(appId, identity.getPrincipal().getName());
        CreateTokenRespObj reply = new CreateTokenRespObj();
        reply.setAppId(challenge.appId());
        reply.setSessionId(challenge.sessionId().toString());
        reply.setTtl(ttl(challenge));
        reply.setChallengeCode(challenge.code().reveal());
        return reply;
    }

    @Override
    @PermissionsAllowed("read")
    public GetTokenRespObj getToken(String appId, String sessionId) {
        Challenge challenge = service.read(appId, UUID.fromString(sessionId));
        GetTokenRespObj reply = new GetTokenRespObj();
        reply.setAppId(challenge.appId());
        reply.setSessionId(challenge.sessionId().toString());
        reply.setTtl(ttl(challenge));
        reply.setChallengeCode(challenge.code().reveal());
        return reply;
    }

    @Override
    @PermissionsAllowed("remove")
    public DeleteTokenRespObj deleteToken(String appId, String sessionId) {
        service.remove(appId, UUID.fromString(sessionId));
        DeleteTokenRespObj reply = new DeleteTokenRespObj();
        reply.setIsSuccess(true);
        return reply;
    }

    @Override
    @PermitAll
    public void createTokenOptions(String appId) {
        // The CORS filter has set the headers; there is nothing to add.
    }

    @Override
    @PermitAll
    public void getTokenOptions(String appId, String sessionId) {
        // As above.
    }

    @Override
    @PermitAll
    public void deleteTokenOptions(String appId, String sessionId) {
        // As above.
    }

    /** Whole seconds, rounded down: a client that trusts it never comes too late. */
    private static String ttl(Challenge challenge) {
        return Long.toString(challenge.expiresAt().getEpochSecond());
    }
}
