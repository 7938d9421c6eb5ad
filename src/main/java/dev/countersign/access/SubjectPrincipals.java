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
        return Uni.createFrom()
                .item(
                        identity.getPrincipal() instanceof JsonWebToken token
                                ? principal(token)
                                        .map(known -> known(identity, known, token))
                                        .orElse(identity)
                                : identity);
    }

    private Optional<Principal> principal(JsonWebToken token) {
        return Optional.ofNullable(token.getSubject()).flatMap(principals::ofSubject);
    }

    private static SecurityIdentity known(SecurityIdentity identity, Principal principal, JsonWebToken token) {
        return QuarkusSecurityIdentity.builder(identity)
                .setPrincipal(principal)
                .addAttribute(Caller.SUBJECT, token.getSubject())
                .addAttribute(Caller.SUBJECT_ISSUER, token.getIssuer())
                .build();
    }
}
