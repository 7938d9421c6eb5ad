package dev.countersign.access;

import io.quarkus.security.identity.AuthenticationRequestContext;
import io.quarkus.security.identity.IdentityProvider;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.security.identity.request.BaseAuthenticationRequest;
import io.quarkus.security.runtime.QuarkusSecurityIdentity;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Singleton;

/** The identity of a principal that has shown who it is. Made by a provider, because Quarkus adds the permissions then. */
@Singleton
class KnownPrincipal implements IdentityProvider<KnownPrincipal.Request> {

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

    /** Asks for it. */
    static final class Request extends BaseAuthenticationRequest {

        private final Principal principal;

        Request(Principal principal) {
            this.principal = principal;
        }
    }
}
