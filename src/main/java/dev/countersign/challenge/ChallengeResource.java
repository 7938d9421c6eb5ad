package dev.countersign.challenge;

import dev.countersign.api.ChallengeApi;
import dev.countersign.api.model.CreateTokenRespObj;
import dev.countersign.api.model.DeleteTokenRespObj;
import dev.countersign.api.model.GetTokenRespObj;
import dev.countersign.challenge.ChallengeService.Challenge;
import io.quarkus.security.PermissionsAllowed;
import io.quarkus.security.identity.SecurityIdentity;
import jakarta.annotation.security.PermitAll;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** The challenge operations of the contract. */
class ChallengeResource implements ChallengeApi {

    private final ChallengeService service;
    private final SecurityIdentity identity;

    ChallengeResource(ChallengeService service, SecurityIdentity identity) {
        this.service = service;
        this.identity = identity;
    }

    @Override
    @PermissionsAllowed("issue")
    public CompletionStage<CreateTokenRespObj> createToken(String appId) {
        return service.issue(appId, principal()).thenApply(challenge -> {
            CreateTokenRespObj reply = new CreateTokenRespObj();
            reply.setAppId(challenge.session().appId);
            reply.setSessionId(challenge.session().sessionId.toString());
            reply.setTtl(ttl(challenge));
            reply.setChallengeCode(challenge.code().reveal());
            return reply;
        });
    }

    @Override
    @PermissionsAllowed("read")
    public CompletionStage<GetTokenRespObj> getToken(String appId, String sessionId) {
        return service.read(appId, UUID.fromString(sessionId), principal()).thenApply(challenge -> {
            GetTokenRespObj reply = new GetTokenRespObj();
            reply.setAppId(challenge.session().appId);
            reply.setSessionId(challenge.session().sessionId.toString());
            reply.setTtl(ttl(challenge));
            reply.setChallengeCode(challenge.code().reveal());
            return reply;
        });
    }

    @Override
    @PermissionsAllowed("remove")
    public CompletionStage<DeleteTokenRespObj> deleteToken(String appId, String sessionId) {
        return service.remove(appId, UUID.fromString(sessionId), principal()).thenApply(_ -> {
            DeleteTokenRespObj reply = new DeleteTokenRespObj();
            reply.setIsSuccess(true);
            return reply;
        });
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

    private String principal() {
        return identity.getPrincipal().getName();
    }

    /** Whole seconds, rounded down: a client that trusts it never comes too late. */
    private static String ttl(Challenge challenge) {
        return Long.toString(challenge.session().expiresAt.getEpochSecond());
    }
}
