package dev.countersign.access;

import io.quarkus.security.identity.AuthenticationRequestContext;
import io.quarkus.security.identity.IdentityProvider;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.security.identity.request.BaseAuthenticationRequest;
import io.quarkus.security.runtime.QuarkusSecurityIdentity;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Singleton;

/**
 * Builds the {@link SecurityIdentity} of a configured principal. An identity provider does it, because Quarkus adds the
 * permission checks only to an identity that comes from a provider.
 */
@Singleton
class PrincipalIdentityProvider implements IdentityProvider<PrincipalIdentityProvider.Request> {

    @Override
    public Class<Request> getRequestType() {
        return Request.class;
    }

    @Override
    public Uni<SecurityIdentity> authenticate(Request request, AuthenticationRequestContext context) {
        return Uni.createFrom()
                .item(QuarkusSecurityIdentity.builder()
                        .setPrincipal(request.principal)
                        .build());
    }

    /** Requests the identity of a principal. */
    static final class Request extends BaseAuthenticationRequest {

        private final Principal principal;

        Request(Principal principal) {
            this.principal = principal;
        }
    }
}
