package dev.countersign.access;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.jwt.consumer.InvalidJwtException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which principals a verified token is of, and whom it speaks for. */
class JwtPrincipalTest {

    private static final String PREFIX = "countersign.principals.";

    @Test
    void subjectIsExactOrAPrefix() {
        Principals principals = principals(Map.of(
                "ann", Map.of("subject", "ann"),
                "shop", Map.of("subject", "system:serviceaccount:shop:*")));
        assertThat(names(principals, "'sub':'ann'")).containsExactly("ann");
        assertThat(names(principals, "'sub':'anne'")).isEmpty();
        assertThat(names(principals, "'sub':'Ann'")).isEmpty();
        assertThat(names(principals, "'sub':'system:serviceaccount:shop:web'")).containsExactly("shop");
        assertThat(names(principals, "'sub':'system:serviceaccount:shop:'")).containsExactly("shop");
        assertThat(names(principals, "'sub':'system:serviceaccount:shop'")).isEmpty();
        assertThat(names(principals, "'sub':'system:serviceaccount:shopping:web'"))
                .isEmpty();
    }

    @Test
    void starIsEachSubjectButNotNone() {
        Principals principals = principals(Map.of("all", Map.of("subject", "*")));
        assertThat(names(principals, "'sub':'ann'")).containsExactly("all");
        assertThat(names(principals, "'name':'ann'")).isEmpty();
        assertThat(names(principals, "'sub':5")).isEmpty();
        assertThat(names(principals, "'sub':['ann']")).isEmpty();
    }

    @Test
    void subjectIsThatOfItsIssuer() {
        Map<String, Map<String, String>> both = Map.of(
                "person", Map.of("subject", "same", "issuer", "https://people"),
                "account", Map.of("subject", "same", "issuer", "https://cluster"));
        Principals principals = PrincipalsTest.principals(settings(both), PrincipalsTest.ISSUERS, true);
        assertThat(names(principals, "'sub':'same','iss':'https://people'")).containsExactly("person");
        assertThat(names(principals, "'sub':'same','iss':'https://cluster'")).containsExactly("account");
        assertThat(names(principals, "'sub':'same','iss':'https://other'")).isEmpty();
        assertThat(names(principals, "'sub':'same','iss':['https://people']")).containsExactly();
        assertThat(names(principals, "'sub':'same'")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"groups", "https://example.com/roles"})
    void claimIsTheStringOrAnArrayThatHasIt(String claim) {
        Principals principals =
                principals(Map.of("admin", Map.of("subject", "*", "claim", claim + "=console-admins=1")));
        String says = "'sub':'ann','" + claim + "':";
        assertThat(names(principals, says + "'console-admins=1'")).containsExactly("admin");
        assertThat(names(principals, says + "['users','console-admins=1']")).containsExactly("admin");
        for (String other : List.of(
                "'users'",
                "'console-admins=1,users'",
                "['users']",
                "[]",
                "[['console-admins=1']]",
                "[5,null,true,{'console-admins=1':1}]",
                "{'groups':'console-admins=1'}",
                "5",
                "true",
                "null")) {
            assertThat(names(principals, says + other)).as(other).isEmpty();
        }
        assertThat(names(principals, "'sub':'ann'")).isEmpty();
    }

    @Test
    void numberIsNotTheStringOfItsDigits() {
        Principals principals = principals(Map.of("admin", Map.of("subject", "*", "claim", "level=5")));
        assertThat(names(principals, "'sub':'ann','level':5")).isEmpty();
        assertThat(names(principals, "'sub':'ann','level':[5]")).isEmpty();
        assertThat(names(principals, "'sub':'ann','level':['5']")).containsExactly("admin");
    }

    @Test
    void emailCountsOnceItIsVerified() {
        Principals principals = principals(Map.of("ann", Map.of("subject", "*", "claim", "email=ann@example.com")));
        String email = "'sub':'1','email':'ann@example.com'";
        assertThat(names(principals, email + ",'email_verified':true")).containsExactly("ann");
        assertThat(token(email + ",'email_verified':true").subject("email")).contains("ann@example.com");
        for (String unverified : List.of("", ",'email_verified':false", ",'email_verified':'true'")) {
            assertThat(names(principals, email + unverified)).isEmpty();
            assertThat(token(email + unverified).subject("email")).isEmpty();
        }
    }

    @Test
    void subjectHas1To256CharactersThatCanBeStored() {
        assertThat(token("'name':'Ann'").subject("name")).contains("Ann");
        assertThat(token("'name':'" + "😀".repeat(256) + "'").subject("name")).isPresent();
        for (String other : List.of(
                "''",
                "'" + "a".repeat(257) + "'",
                "5",
                "['Ann']",
                "{'first':'Ann'}",
                "null",
                "'a\\u0000'",
                "'\\uD800'")) {
            assertThat(token("'name':" + other).subject("name")).as(other).isEmpty();
        }
        assertThat(token("'sub':'1'").subject("name")).isEmpty();
    }

    @Test
    void tokenCanBeOfSeveral() {
        Principals principals = principals(Map.of(
                "admin", Map.of("subject", "*", "claim", "groups=admins"),
                "user", Map.of("subject", "*", "claim", "groups=users")));
        assertThat(names(principals, "'sub':'ann','groups':['admins','users']"))
                .containsExactlyInAnyOrder("admin", "user");
        assertThat(names(principals, "'sub':'ann','groups':['admins']")).containsExactly("admin");
    }

    private static List<String> names(Principals principals, String claims) {
        return principals.ofToken(token(claims)).stream()
                .map(match -> match.principal().name())
                .toList();
    }

    private static TokenClaims token(String claims) {
        try {
            return new TokenClaims(JwtClaims.parse("{" + claims.replace('\'', '"') + "}"));
        } catch (InvalidJwtException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static Principals principals(Map<String, Map<String, String>> principals) {
        return PrincipalsTest.principals(
                settings(principals),
                Map.of(
                        "quarkus.oidc.auth-server-url", "https://people",
                        "quarkus.oidc.token.audience", "countersign",
                        "quarkus.oidc.token.signature-algorithm", "RS256"),
                true);
    }

    private static Map<String, String> settings(Map<String, Map<String, String>> principals) {
        Map<String, String> settings = new HashMap<>();
        principals.forEach((name, principal) -> {
            principal.forEach((key, value) -> settings.put(PREFIX + name + "." + key, value));
            settings.put(PREFIX + name + ".apps", "*");
            settings.put(PREFIX + name + ".permissions", "issue");
        });
        return settings;
    }
}
