package dev.countersign.challenge;

import dev.countersign.access.Caller;
import dev.countersign.api.ChallengeApi;
import dev.countersign.api.model.CreateTokenReqObj;
import dev.countersign.api.model.CreateTokenRespObj;
import dev.countersign.api.model.DeleteTokenRespObj;
import dev.countersign.api.model.GetTokenRespObj;
import dev.countersign.challenge.ChallengeService.Challenge;
import dev.countersign.error.BadRequestException;
import dev.countersign.error.UnicodeText;
import io.quarkus.security.PermissionsAllowed;
import io.quarkus.security.identity.SecurityIdentity;
import io.vertx.ext.web.RoutingContext;
import jakarta.annotation.security.PermitAll;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Implements the contract's challenge operations. */
class ChallengeResource implements ChallengeApi {

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
        return service.issue(appId, Caller.of(identity), asked(body)).thenApply(challenge -> {
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

    private TokenRequest asked(@Nullable CreateTokenReqObj body) {
        if (body == null) {
            if (request.body().length() > 0) {
                // The body is JSON's null, which Jackson treats as no body.
                throw new BadRequestException("The body is not the JSON object that the contract describes");
            }
            return TokenRequest.EMPTY;
        }
        if (body.getSubject() != null) {
            UnicodeText.require("subject", body.getSubject());
        }
        return new TokenRequest(
                body.getSubject(),
                body.getContext() == null ? null : contexts.write(body.getContext()),
                body.getTtlSeconds(),
                body.getCodeChallenge());
    }

    private String principal() {
        return identity.getPrincipal().getName();
    }

    /** The expiry time in whole seconds. It is rounded down, so that a client that trusts it never comes too late. */
    private static String ttl(Challenge challenge) {
        return Long.toString(challenge.session().expiresAt.getEpochSecond());
    }
}
