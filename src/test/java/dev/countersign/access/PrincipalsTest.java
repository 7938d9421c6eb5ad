package dev.countersign.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarkus.oidc.runtime.OidcConfig;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What the configuration of principals may and may not say. */
class PrincipalsTest {

    private static final String PREFIX = "countersign.principals.";
    private static final String SECRET = "a-secret-that-must-not-be-shown-to-anybody";
    private static final Map<String, String> GOOD = Map.of(
            PREFIX + "console.access-key-id", "AKIACONSOLE000001",
            PREFIX + "console.secret-access-key", SECRET,
            PREFIX + "console.apps", "demo,web*",
            PREFIX + "console.permissions", "issue,read");
    static final Map<String, String> ISSUER = Map.of(
            "quarkus.oidc.auth-server-url", "https://people",
            "quarkus.oidc.token.audience", "countersign",
            "quarkus.oidc.token.signature-algorithm", "RS256",
            "quarkus.oidc.token.issuer", "https://people");
    static final Map<String, String> ISSUERS = Map.of(
            "quarkus.oidc.auth-server-url", "https://cluster",
            "quarkus.oidc.token.audience", "countersign",
            "quarkus.oidc.token.signature-algorithm", "RS256",
            "quarkus.oidc.token.issuer", "https://cluster",
            "quarkus.oidc.people.auth-server-url", "https://people",
            "quarkus.oidc.people.token.audience", "countersign",
            "quarkus.oidc.people.token.signature-algorithm", "RS256",
            "quarkus.oidc.people.token.issuer", "https://people");

    @Test
    void principalMayWhatItsPermissionsAndAppsSay() {
        Principal console = principals(GOOD, true)
                .accessKey("AKIACONSOLE000001")
                .orElseThrow()
                .principal();
        assertThat(console.getName()).isEqualTo("console");
        assertThat(console.may(Permission.ISSUE, "demo")).isTrue();
        assertThat(console.may(Permission.READ, "website")).isTrue();
        assertThat(console.may(Permission.READ, "web")).isTrue();
        assertThat(console.may(Permission.ISSUE, "demo2")).isFalse();
        assertThat(console.may(Permission.ISSUE, "we")).isFalse();
        assertThat(console.may(Permission.REDEEM, "demo")).isFalse();
    }

    @Test
    void productionNeedsAPrincipal() {
        assertRefused(Map.of(), "nobody could call: set countersign.principals.<name>.access-key-id");
    }

    @Test
    void productionRefusesTheDeveloper() {
        assertRefused(
                with("countersign.access.anonymous-principal", "console"), "anonymous-principal lets everybody in");
        assertRefused(
                Map.of(
                        PREFIX + "developer.subject", "dev",
                        PREFIX + "developer.apps", "*",
                        PREFIX + "developer.permissions", "issue"),
                "countersign.principals.developer: this name is for development only");
    }

    @Test
    void eachMistakeIsNamed() {
        assertRefused(with(PREFIX + "console.permissions", "issue,sing"), "console: permissions has 'sing', which is");
        assertRefused(with(PREFIX + "console.permissions", ""), "console: set permissions");
        assertRefused(with(PREFIX + "console.apps", ""), "console: set apps");
        assertRefused(with(PREFIX + "console.apps", "Demo"), "console: apps has 'Demo', which is neither");
        assertRefused(with(PREFIX + "console.apps", "de*mo"), "console: apps has 'de*mo', which is neither");
        assertRefused(with(PREFIX + "console.secret-access-key", "short"), "secret-access-key must have at least 32");
        assertRefused(
                with(PREFIX + "console.secret-access-key", ""), "access-key-id and secret-access-key go together");
        assertRefused(with(PREFIX + "console.access-key-id", "with space"), "access-key-id must be 16 to 128 letters");
        assertRefused(with(PREFIX + "other.access-key-id", "AKIACONSOLE000001", "other"), "the same access-key-id");
        assertRefused(
                Map.of(PREFIX + "nobody.apps", "*", PREFIX + "nobody.permissions", "issue"),
                "countersign.principals.nobody: set access-key-id and secret-access-key, or subject");
    }

    @Test
    void severalMistakesAreNamedAtOnce() {
        Map<String, String> settings = with(PREFIX + "console.apps", "Demo");
        settings.put(PREFIX + "console.permissions", "sing");
        assertThatThrownBy(() -> principals(settings, true))
                .hasMessageContaining("apps has 'Demo'")
                .hasMessageContaining("permissions has 'sing'");
    }

    @Test
    void twoPrincipalsCanNotHaveOneSubject() {
        Map<String, String> settings = new HashMap<>();
        for (String name : new String[] {"one", "two"}) {
            settings.put(PREFIX + name + ".subject", "same");
            settings.put(PREFIX + name + ".apps", "*");
            settings.put(PREFIX + name + ".permissions", "issue");
        }
        assertRefused(settings, "every token that matches this principal also matches one, and would be");
    }

    @Test
    void jwtPrincipalsThatCanNotBeTrueAreNamed() {
        assertRefused(token(Map.of("claim", "groups=admins")), "one: issuer, claim and subject-claim need a subject");
        assertRefused(token(Map.of("subject-claim", "email")), "one: issuer, claim and subject-claim need a subject");
        assertRefused(token(Map.of("subject", "system:*:app")), "one: subject may have a * at its end only");
        assertRefused(token(Map.of("subject", "*", "claim", "groups")), "one: claim must be a claim's name and value");
        assertRefused(token(Map.of("subject", "*", "claim", "=admins")), "one: claim must be a claim's name and value");
        assertRefused(token(Map.of("subject", "*", "claim", "groups=")), "one: claim must be a claim's name and value");
        assertRefused(
                token(Map.of("subject", "*", "issuer", "https://other.example.com")),
                ISSUERS,
                "one: issuer is https://other.example.com, which is none of [https://cluster, https://people]");
        assertRefused(token(Map.of("subject", "*")), ISSUERS, "one: set issuer, to the iss of its tokens: there are");
        assertRefused(token(Map.of("subject", "*")), Map.of(), "there is no issuer of tokens: set quarkus.oidc");
    }

    @Test
    void principalsThatWouldNeverBeAloneAreNamed() {
        assertOverlap(Map.of("subject", "*"), Map.of("subject", "ann"));
        assertOverlap(Map.of("subject", "system:*"), Map.of("subject", "system:serviceaccount:*"));
        assertOverlap(Map.of("subject", "ann"), Map.of("subject", "ann", "claim", "groups=admins"));
        assertOverlap(Map.of("subject", "*"), Map.of("subject", "an*", "claim", "groups=admins"));
        assertOverlap(
                Map.of("subject", "*", "claim", "groups=admins"), Map.of("subject", "ann", "claim", "groups=admins"));
        assertOverlap(Map.of("subject", "*", "subject-claim", "email"), Map.of("subject", "ann"));
        assertOverlap(Map.of("subject", "*"), Map.of("subject", "ann", "issuer", "https://people"));
    }

    @Test
    void principalsThatMayBeAloneAreTaken() {
        assertNoOverlap(Map.of("subject", "ann"), Map.of("subject", "anne"));
        assertNoOverlap(Map.of("subject", "system:a*"), Map.of("subject", "system:b*"));
        assertNoOverlap(
                Map.of("subject", "*", "claim", "groups=admins"), Map.of("subject", "*", "claim", "groups=users"));
        assertNoOverlap(Map.of("subject", "*", "claim", "groups=admins"), Map.of("subject", "ann"));
        Map<String, String> settings = two(
                Map.of("subject", "same", "issuer", "https://people"),
                Map.of("subject", "same", "issuer", "https://cluster"));
        assertThatCode(() -> principals(settings, ISSUERS, true)).doesNotThrowAnyException();
    }

    @Test
    void issuersThatCouldNotBeTrustedOrToldApartAreNamed() {
        String people = "quarkus.oidc.people";
        assertRefused(
                GOOD,
                issuers("quarkus.oidc.token.audience", ""),
                "Set quarkus.oidc.token.audience to the issuer's name");
        assertRefused(
                GOOD, issuers(people + ".token.audience", "any"), "Set " + people + ".token.audience to the issuer's");
        assertRefused(GOOD, issuers(people + ".token.signature-algorithm", ""), "Set " + people + ".token.signature-");
        assertRefused(GOOD, issuers(people + ".token.issuer", "any"), "Set " + people + ".token.issuer to the iss");
        assertRefused(GOOD, issuers(people + ".token.issuer", ""), "by which the service knows who issued one");
        assertRefused(GOOD, issuers(people + ".token.issuer", "https://cluster"), "two issuers have https://cluster");
        for (String keys : new String[] {"public-key", "jwks-path", "certificate-chain.trust-store-file", "provider"}) {
            assertRefused(
                    GOOD,
                    Map.of(
                            people + "." + keys,
                            keys.equals("provider") ? "microsoft" : "keys",
                            people + ".token.audience",
                            "countersign",
                            people + ".token.signature-algorithm",
                            "RS256"),
                    "Set " + people
                            + ".token.issuer to the iss of its tokens, by which the service knows who issued one");
        }
        Map<String, String> discovered = new HashMap<>(ISSUER);
        discovered.remove("quarkus.oidc.token.issuer");
        assertThatCode(() -> principals(GOOD, discovered, true)).doesNotThrowAnyException();
    }

    @Test
    void secretIsNotShown() {
        assertThat(principals(GOOD, true)
                        .accessKey("AKIACONSOLE000001")
                        .orElseThrow()
                        .toString())
                .doesNotContain(SECRET);
    }

    @Test
    void developmentMayKnowEverybodyAsOne() {
        Map<String, String> settings = Map.of(
                "countersign.access.anonymous-principal",
                "developer",
                PREFIX + "developer.apps",
                "*",
                PREFIX + "developer.permissions",
                "issue");
        assertThat(principals(settings, false).anonymous()).isPresent();
        assertThatCode(() -> principals(Map.of(), false)).doesNotThrowAnyException();
    }

    private static Map<String, String> token(Map<String, String> principal) {
        return two(principal, Map.of("subject", "somebody-else"));
    }

    private static Map<String, String> two(Map<String, String> one, Map<String, String> other) {
        Map<String, String> settings = new HashMap<>();
        Map.of("one", one, "other", other).forEach((name, principal) -> {
            principal.forEach((key, value) -> settings.put(PREFIX + name + "." + key, value));
            settings.put(PREFIX + name + ".apps", "*");
            settings.put(PREFIX + name + ".permissions", "issue");
        });
        return settings;
    }

    private static void assertOverlap(Map<String, String> broad, Map<String, String> narrow) {
        assertRefused(two(broad, narrow), "other: every token that matches this principal also matches one,");
        assertRefused(two(narrow, broad), "one: every token that matches this principal also matches other,");
    }

    private static void assertNoOverlap(Map<String, String> one, Map<String, String> other) {
        assertThatCode(() -> principals(two(one, other), true)).doesNotThrowAnyException();
    }

    private static Map<String, String> issuers(String key, String value) {
        Map<String, String> issuers = new HashMap<>(ISSUERS);
        issuers.put(key, value);
        return issuers;
    }

    private static void assertRefused(Map<String, String> settings, String message) {
        assertRefused(settings, ISSUER, message);
    }

    private static void assertRefused(Map<String, String> settings, Map<String, String> issuers, String message) {
        assertThatThrownBy(() -> principals(settings, issuers, true))
                .isExactlyInstanceOf(IllegalStateException.class)
                .hasMessageContaining(message)
                .hasMessageNotContaining(SECRET);
    }

    private static Map<String, String> with(String key, String value) {
        Map<String, String> settings = new HashMap<>(GOOD);
        settings.put(key, value);
        return settings;
    }

    /** A second principal, good but for its key's ID. */
    private static Map<String, String> with(String key, String value, String name) {
        Map<String, String> settings = with(key, value);
        settings.put(PREFIX + name + ".secret-access-key", SECRET + "2");
        settings.put(PREFIX + name + ".apps", "*");
        settings.put(PREFIX + name + ".permissions", "issue");
        return settings;
    }

    private static Principals principals(Map<String, String> settings, boolean production) {
        return principals(settings, ISSUER, production);
    }

    static Principals principals(Map<String, String> settings, Map<String, String> issuers, boolean production) {
        SmallRyeConfigBuilder builder = new SmallRyeConfigBuilder()
                .addDiscoveredConverters()
                .withMapping(PrincipalsConfig.class)
                .withMapping(AccessConfig.class)
                .withMapping(OidcConfig.class)
                .withSources(new PropertiesConfigSource(settings, "principals", 250))
                .withSources(new PropertiesConfigSource(issuers, "issuers", 250));
        SmallRyeConfig config = builder.build();
        return new Principals(
                config.getConfigMapping(PrincipalsConfig.class),
                config.getConfigMapping(AccessConfig.class),
                production,
                new TokenIssuers(config.getConfigMapping(OidcConfig.class)));
    }
}
