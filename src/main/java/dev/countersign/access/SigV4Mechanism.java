package dev.countersign.access;

import dev.countersign.error.ForbiddenException;
import io.quarkus.security.AuthenticationFailedException;
import io.quarkus.security.identity.IdentityProviderManager;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.security.identity.request.AuthenticationRequest;
import io.quarkus.vertx.http.runtime.security.ChallengeData;
import io.quarkus.vertx.http.runtime.security.HttpAuthenticationMechanism;
import io.smallrye.mutiny.Uni;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Singleton;
import java.util.Locale;
import java.util.Set;

/**
 * Authenticates by AWS Signature Version 4. It runs after OIDC, so it also decides on requests with any other
 * {@code Authorization} header, or with none.
 */
@Singleton
class SigV4Mechanism implements HttpAuthenticationMechanism {

    private static final byte[] NO_BODY = {};

    private final SigV4Verifier verifier;
    private final Principals principals;

    SigV4Mechanism(SigV4Verifier verifier, Principals principals) {
        this.verifier = verifier;
        this.principals = principals;
    }

    @Override
    public Uni<SecurityIdentity> authenticate(RoutingContext context, IdentityProviderManager identities) {
        // RequestShape refuses a request with two of them.
        String header = context.request().getHeader("Authorization");
        try {
            if (header == null) {
                return principals
                        .anonymous()
                        .map(anonymous -> identities.authenticate(new PrincipalIdentityProvider.Request(anonymous)))
                        .orElseGet(() -> Uni.createFrom().nullItem());
            } else if ((header + " ").toLowerCase(Locale.ROOT).startsWith("bearer ")) {
                // OIDC did not accept it: the token names no configured issuer.
                throw new AuthenticationFailedException("Bearer tokens are not accepted");
            }
            Principal principal = verifier.verify(header, received(context));
            return identities.authenticate(new PrincipalIdentityProvider.Request(principal));
        } catch (ForbiddenException e) {
            return Uni.createFrom().failure(new AuthenticationFailedException(e));
        } catch (AuthenticationFailedException e) {
            return Uni.createFrom().failure(e);
        }
    }

    @Override
    public Set<Class<? extends AuthenticationRequest>> getCredentialTypes() {
        return Set.of(PrincipalIdentityProvider.Request.class);
    }

    /** Sends no challenge: the error replies tell the caller what to do. */
    @Override
    public Uni<ChallengeData> getChallenge(RoutingContext context) {
        return Uni.createFrom().nullItem();
    }

    @Override
    public int getPriority() {
        return DEFAULT_PRIORITY - 1000;
    }

    private static SigV4CanonicalRequest.Received received(RoutingContext context) {
        HttpServerRequest request = context.request();
        Buffer body = context.body().buffer();
        return new SigV4CanonicalRequest.Received(
                request.method().name(), request.uri(), request.headers(), body == null ? NO_BODY : body.getBytes());
    }
}
