package dev.countersign.access;

import io.quarkus.security.identity.AuthenticationRequestContext;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.security.identity.SecurityIdentityAugmentor;
import io.quarkus.security.runtime.QuarkusSecurityIdentity;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Singleton;
import java.util.Optional;
import org.eclipse.microprofile.jwt.JsonWebToken;

/** Makes the subject of a verified JSON Web Token the principal that configuration says. */
@Singleton
class SubjectPrincipals implements SecurityIdentityAugmentor {

    private final Principals principals;

    SubjectPrincipals(Principals principals) {
        this.principals = principals;
    }

    /** A subject that no principal has keeps an identity that may do nothing. */
    @Override
    public Uni<SecurityIdentity> augment(SecurityIdentity identity, AuthenticationRequestContext context) {
        Optional<Principal> principal = identity.getPrincipal() instanceof JsonWebToken token
                ? Optional.ofNullable(token.getSubject()).flatMap(principals::ofSubject)
                : Optional.empty();
        return Uni.createFrom()
                .item(principal
                        .<SecurityIdentity>map(known -> QuarkusSecurityIdentity.builder(identity)
                                .setPrincipal(known)
                                .build())
                        .orElse(identity));
    }
}
