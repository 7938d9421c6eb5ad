package dev.countersign.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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
        assertRefused(settings, "another principal has the same subject");
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

    private static void assertRefused(Map<String, String> settings, String message) {
        assertThatThrownBy(() -> principals(settings, true))
                .isInstanceOf(Principals.InvalidPrincipalsException.class)
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
        SmallRyeConfigBuilder builder =
                new SmallRyeConfigBuilder().withMapping(PrincipalsConfig.class).withMapping(AccessConfig.class);
        settings.forEach(builder::withDefaultValue);
        SmallRyeConfig config = builder.build();
        return new Principals(
                config.getConfigMapping(PrincipalsConfig.class),
                config.getConfigMapping(AccessConfig.class),
                production);
    }
}
