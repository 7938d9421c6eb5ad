package dev.countersign.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.EnvConfigSource;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.smallrye.config.WithDefault;
import io.smallrye.config.WithParentName;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which settings are read, and as what, from where; and which stop the start. */
class StrictSettingsTest {

    /** The names of the service's own, and one that ends as another does. */
    @ConfigMapping(prefix = "countersign.principals")
    interface Principals {
        @WithParentName
        Map<String, Principal> byName();

        interface Principal {
            Optional<String> secretAccessKey();

            Optional<String> subject();

            Optional<List<String>> apps();

            Optional<String> claim();

            Optional<String> subjectClaim();
        }
    }

    @ConfigMapping(prefix = "countersign.challenge")
    interface Challenge {
        Map<String, String> keys();

        @WithDefault("5")
        int maxAttempts();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            COUNTERSIGN_PRINCIPALS_CONSOLE_SUBJECT     | console
            COUNTERSIGN_PRINCIPALS_CI_RUNNER_SUBJECT   | ci-runner
            COUNTERSIGN_PRINCIPALS_ci-runner_SUBJECT   | ci-runner
            COUNTERSIGN_PRINCIPALS_ci.runner_SUBJECT   | ci.runner
            COUNTERSIGN_PRINCIPALS_A_B_C_SUBJECT       | a-b-c
            COUNTERSIGN_PRINCIPALS_SUBJECT_SUBJECT     | subject
            """)
    void principalIsNamedByItsVariable(String variable, String name) {
        assertThat(principals(Map.of(variable, "somebody"), Map.of())).containsOnlyKeys(name);
    }

    @Test
    void keyIsNamedByItsVariable() {
        SmallRyeConfig config = config(Map.of("COUNTERSIGN_CHALLENGE_KEYS_2026_01", "key"), Map.of());
        assertThat(config.getConfigMapping(Challenge.class).keys()).isEqualTo(Map.of("2026-01", "key"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ci_runner", "ci-runner", "\"ci.runner\"", "Ci-Runner"})
    void variableChangesThePrincipalThatAFileHas(String name) {
        Map<String, Principals.Principal> principals = principals(
                Map.of("COUNTERSIGN_PRINCIPALS_CI_RUNNER_SUBJECT", "of the environment"),
                Map.of(
                        "countersign.principals." + name + ".subject", "of the file",
                        "countersign.principals." + name + ".apps", "demo"));
        assertThat(principals).containsOnlyKeys(name.replace("\"", ""));
        assertThat(principals.values()).allSatisfy(principal -> {
            assertThat(principal.subject()).contains("of the environment");
            assertThat(principal.apps()).contains(List.of("demo"));
        });
    }

    @Test
    void longestMemberWins() {
        assertThat(principals(Map.of("COUNTERSIGN_PRINCIPALS_CI_SUBJECT_CLAIM", "email"), Map.of())
                        .get("ci")
                        .subjectClaim())
                .contains("email");
    }

    @Test
    void nameThatCouldBeReadInTwoWaysIsRefused() {
        assertRefused(
                Map.of(
                        "COUNTERSIGN_PRINCIPALS_CI_SUBJECT_CLAIM",
                        "email",
                        "COUNTERSIGN_PRINCIPALS_CI_SUBJECT_APPS",
                        "*"),
                Map.of(),
                "COUNTERSIGN_PRINCIPALS_CI_SUBJECT_CLAIM could mean each of [countersign.principals.ci-subject.claim,"
                        + " countersign.principals.ci.subject-claim]");
        assertRefused(
                Map.of("COUNTERSIGN_PRINCIPALS_CI_RUNNER_SUBJECT", "somebody"),
                Map.of(
                        "countersign.principals.ci_runner.apps", "*",
                        "countersign.principals.ci-runner.apps", "*"),
                "COUNTERSIGN_PRINCIPALS_CI_RUNNER_SUBJECT could mean each of");
        assertRefused(
                Map.of(
                        "COUNTERSIGN_PRINCIPALS_ci.runner_SUBJECT", "somebody",
                        "COUNTERSIGN_PRINCIPALS_ci-runner_APPS", "*"),
                Map.of(),
                "could mean each of");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            COUNTERSIGN_CHALLENGE_MAX_ATEMPTS            | COUNTERSIGN_CHALLENGE_MAX_ATTEMPTS
            COUNTERSIGN_CHALLENGE_KEY_K1                 | COUNTERSIGN_CHALLENGE_KEYS_<NAME>
            COUNTERSIGN_PRINCIPALS_CONSOLE_APP           | COUNTERSIGN_PRINCIPALS_<NAME>_APPS
            COUNTERSIGN_PRINCIPAL_CONSOLE_APPS           | COUNTERSIGN_PRINCIPALS_<NAME>_APPS
            COUNTERSIGN_PRINCIPALS__CI_RUNNER__SUBJECT   | COUNTERSIGN_PRINCIPALS_<NAME>_SUBJECT
            COUNTERSIGN_PRINCIPALS_SUBJECT               | COUNTERSIGN_PRINCIPALS_<NAME>_SUBJECT
            COUNTERSIGN_REQUEST_TIME_OUT                 | COUNTERSIGN_REQUEST_TIMEOUT
            COUNTERSIGN_SERVICE_HOSTS                    | COUNTERSIGN_
            """)
    void variableThatNothingReadsIsRefused(String variable, String nearest) {
        assertRefused(Map.of(variable, "1"), Map.of(), variable + " is no setting; the nearest is " + nearest);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            countersign.challenge.max-atempts         | countersign.challenge.max-attempts
            countersign.chalenge.max-attempts         | countersign.challenge.max-attempts
            %prod.countersign.chalenge.max-attempts   | countersign.challenge.max-attempts
            countersign.principals.a.b.subject        | countersign.principals.<name>.subject
            countersign.principals.ci.aps             | countersign.principals.<name>.apps
            countersign.request-time                  | countersign.request-timeout
            """)
    void propertyThatNothingReadsIsRefused(String property, String nearest) {
        assertRefused(
                Map.of(),
                Map.of(property, "1"),
                property.replace("%prod.", "") + " is no setting; the nearest is " + nearest);
    }

    @Test
    void allMistakesAreNamedAtOnce() {
        assertThatThrownBy(() -> config(Map.of("COUNTERSIGN_ONE", "1"), Map.of("countersign.two", "2")))
                .hasMessageContaining("COUNTERSIGN_ONE is no setting")
                .hasMessageContaining("countersign.two is no setting");
    }

    /** For a Service called countersign, and one called countersign-apps. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "COUNTERSIGN_SERVICE_HOST",
                "COUNTERSIGN_SERVICE_PORT",
                "COUNTERSIGN_SERVICE_PORT_HTTP",
                "COUNTERSIGN_PORT",
                "COUNTERSIGN_PORT_80_TCP",
                "COUNTERSIGN_PORT_80_TCP_PROTO",
                "COUNTERSIGN_PORT_80_UDP_PORT",
                "COUNTERSIGN_PORT_80_SCTP_ADDR",
                "COUNTERSIGN_APPS_SERVICE_HOST",
                "COUNTERSIGN_PRINCIPALS_PORT_80_TCP_ADDR"
            })
    void variableOfAServiceIsNone(String variable) {
        assertThat(principals(Map.of(variable, "tcp://10.0.0.1:80"), Map.of())).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"pa$$word", "pa${user.home}", "pa${", "pa\\$word", "${nothing}", "${aes-gcm-nopadding::x}"})
    void ourSecretIsTakenLiterally(String secret) {
        Map<String, String> environment =
                Map.of("COUNTERSIGN_PRINCIPALS_CI_SECRET_ACCESS_KEY", secret, "COUNTERSIGN_CHALLENGE_KEYS_K1", secret);
        assertThat(principals(environment, Map.of()).get("ci").secretAccessKey())
                .contains(secret);
        assertThat(config(environment, Map.of())
                        .getConfigMapping(Challenge.class)
                        .keys())
                .isEqualTo(Map.of("k1", secret));
        assertThat(principals(Map.of(), Map.of("countersign.principals.ci.secret-access-key", secret))
                        .get("ci")
                        .secretAccessKey())
                .contains(secret);
    }

    @Test
    void othersOfOursAreExpanded() {
        assertThat(principals(
                                Map.of("COUNTERSIGN_PRINCIPALS_CI_SUBJECT", "${who:nobody}-${who:nobody}"),
                                Map.of("who", "ci"))
                        .get("ci")
                        .subject())
                .contains("ci-ci");
    }

    @ParameterizedTest
    @ValueSource(strings = {"pa$$word", "pa${user.home}", "pa\\$word", "${nothing}", "${aes-gcm-nopadding::x}"})
    void secretThatQuarkusWouldChangeIsRefused(String secret) {
        assertRefused(
                Map.of("QUARKUS_DATASOURCE_PASSWORD", secret), Map.of(), "QUARKUS_DATASOURCE_PASSWORD has a ${…}");
        assertRefused(
                Map.of(), Map.of("quarkus.oidc.credentials.secret", secret), "quarkus.oidc.credentials.secret has");
    }

    @Test
    void secretOfQuarkusMayHaveADollar() {
        assertThat(config(Map.of("QUARKUS_DATASOURCE_PASSWORD", "$pa$word$"), Map.of())
                        .getValue("quarkus.datasource.password", String.class))
                .isEqualTo("$pa$word$");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "COUNTERSIGN_PRINCIPALS_CI_SECRET_ACCESS_KEY",
                "COUNTERSIGN_CHALLENGE_KEYS_K1",
                "QUARKUS_DATASOURCE_PASSWORD"
            })
    void whiteSpaceAroundASecretIsRefused(String variable) {
        for (String secret : List.of("secret\n", " secret", "secret\t")) {
            assertRefused(Map.of(variable, secret), Map.of(), variable + " begins or ends with white space");
        }
    }

    /** Else it would be a setting that can't be set. */
    @Test
    void whatIsReadAloneIsKnown() {
        List<String> read = new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests()).importPackages("dev.countersign").stream()
                        .flatMap(type -> type.getConstructors().stream())
                        .flatMap(constructor -> constructor.getParameters().stream())
                        .flatMap(parameter -> parameter.tryGetAnnotationOfType(ConfigProperty.class).stream())
                        .map(ConfigProperty::name)
                        .filter(name -> name.startsWith("countersign."))
                        // Of a mapping in another package.
                        .filter(name -> !name.equals("countersign.challenge.ttl"))
                        .toList();
        assertThat(read).isNotEmpty();
        assertThat(StrictSettings.READ_ALONE).containsAll(read);
    }

    private static void assertRefused(Map<String, String> environment, Map<String, String> file, String message) {
        assertThatThrownBy(() -> config(environment, file))
                .isInstanceOf(StrictSettings.InvalidSettingsException.class)
                .hasMessageContaining(message)
                .hasMessageNotContaining("pa$$word");
    }

    private static Map<String, Principals.Principal> principals(
            Map<String, String> environment, Map<String, String> file) {
        return config(environment, file).getConfigMapping(Principals.class).byName();
    }

    private static SmallRyeConfig config(Map<String, String> environment, Map<String, String> file) {
        return new SmallRyeConfigBuilder()
                .addDefaultInterceptors()
                .withProfile("prod")
                .withSources(new EnvConfigSource(environment, EnvConfigSource.ORDINAL))
                .withSources(new PropertiesConfigSource(file, "file", 250))
                .withMapping(Principals.class)
                .withMapping(Challenge.class)
                .withCustomizers(new StrictSettings(false))
                .build();
    }
}
