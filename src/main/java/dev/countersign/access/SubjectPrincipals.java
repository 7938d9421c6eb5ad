package dev.countersign.access;

import dev.countersign.error.LogThrottle;
import io.quarkus.oidc.runtime.OidcJwtCallerPrincipal;
import io.quarkus.security.identity.AuthenticationRequestContext;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.security.identity.SecurityIdentityAugmentor;
import io.quarkus.security.runtime.QuarkusSecurityIdentity;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jboss.logging.Logger;

/** Maps the caller of a verified JSON Web Token to its configured principal. */
@Singleton
class SubjectPrincipals implements SecurityIdentityAugmentor {

    private static final Logger LOG = Logger.getLogger(SubjectPrincipals.class);

    private final Principals principals;
    private final LogThrottle refused = new LogThrottle(Duration.ofMinutes(1));

    SubjectPrincipals(Principals principals) {
        this.principals = principals;
    }

    /** Maps the caller. A caller that matches no principal, or several, keeps an identity without permissions. */
    @Override
    public Uni<SecurityIdentity> augment(SecurityIdentity identity, AuthenticationRequestContext context) {
        return Uni.createFrom()
                .item(
                        identity.getPrincipal() instanceof OidcJwtCallerPrincipal caller
                                ? known(identity, new TokenClaims(caller.getClaims()))
                                : identity);
    }

    private SecurityIdentity known(SecurityIdentity identity, TokenClaims token) {
        List<JwtPrincipal> matching = principals.ofToken(token);
        if (matching.size() > 1) {
            String names = String.join(
                    ", ", matching.stream().map(one -> one.principal().name()).toList());
            warn("A caller gets 403, because its token is of several principals: " + names);
        }
        if (matching.size() != 1) {
            return identity;
        }
        JwtPrincipal match = matching.getFirst();
        Optional<String> subject = token.subject(match.subjectClaim());
        if (subject.isEmpty()) {
            warn("A caller of the principal " + match.principal().name() + " gets 403, because its token's "
                    + match.subjectClaim() + " is missing, no string of 1 to 256 characters, or not verified");
            return identity;
        }
        QuarkusSecurityIdentity.Builder known = QuarkusSecurityIdentity.builder(identity)
                .setPrincipal(match.principal())
                .addAttribute(Caller.SUBJECT, subject.get());
        token.string("iss").ifPresent(iss -> known.addAttribute(Caller.SUBJECT_ISSUER, iss));
        return known.build();
    }

    /** Logs a warning once a minute. The message has only configured values, so callers can't control it. */
    private void warn(String message) {
        if (refused.permits(message)) {
            LOG.warn(message);
        }
    }
}
