package dev.countersign.access;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.oidc.runtime.OidcJwtCallerPrincipal;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.security.runtime.QuarkusSecurityIdentity;
import java.util.HashMap;
import java.util.Map;
import org.jose4j.jwt.JwtClaims;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the identity of a caller with a JSON Web Token says of whom the token speaks for. */
class SubjectPrincipalsTest {

    private final JwtClaims claims = new JwtClaims();

    @BeforeEach
    void setClaims() {
        claims.setIssuer("https://people");
        claims.setSubject("1234");
        claims.setStringClaim("email", "ann@example.com");
        claims.setClaim("email_verified", true);
    }

    @Test
    void subjectIsThatOfTheToken() {
        SecurityIdentity caller = identity(Map.of());
        assertThat(caller.getPrincipal().getName()).isEqualTo("operator");
        assertThat(caller.getAttributes())
                .containsEntry("countersign.subject", "1234")
                .containsEntry("countersign.subject-issuer", "https://people");
    }

    @Test
    void subjectIsTheClaimThatTheSettingsName() {
        assertThat(identity(Map.of("subject-claim", "email")).getAttributes())
                .containsEntry("countersign.subject", "ann@example.com")
                .containsEntry("countersign.subject-issuer", "https://people");
    }

    @Test
    void tokenWithoutThatClaimIsOfNobody() {
        assertNobody(identity(Map.of("subject-claim", "preferred_username")));
        claims.setClaim("email_verified", false);
        assertNobody(identity(Map.of("subject-claim", "email")));
        claims.setSubject("a".repeat(257));
        assertNobody(identity(Map.of()));
    }

    @Test
    void tokenOfNoPrincipalSpeaksForNobody() {
        assertNobody(identity(Map.of("claim", "groups=admins")));
    }

    private static void assertNobody(SecurityIdentity caller) {
        assertThat(caller.getPrincipal()).isNotInstanceOf(Principal.class);
        assertThat(caller.getAttributes()).doesNotContainKeys(Caller.SUBJECT, Caller.SUBJECT_ISSUER);
    }

    private SecurityIdentity identity(Map<String, String> principal) {
        Map<String, String> settings = new HashMap<>(Map.of(
                "countersign.principals.operator.subject", "*",
                "countersign.principals.operator.apps", "*",
                "countersign.principals.operator.permissions", "issue"));
        principal.forEach((key, value) -> settings.put("countersign.principals.operator." + key, value));
        return new SubjectPrincipals(PrincipalsTest.principals(settings, PrincipalsTest.ISSUER, true))
                .augment(
                        QuarkusSecurityIdentity.builder()
                                .setPrincipal(new OidcJwtCallerPrincipal(claims, null))
                                .build(),
                        null)
                .await()
                .indefinitely();
    }
}
