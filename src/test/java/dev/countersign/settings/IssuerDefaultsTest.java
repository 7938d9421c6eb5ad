package dev.countersign.settings;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.oidc.runtime.OidcConfig;
import io.quarkus.oidc.runtime.OidcTenantConfig;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Properties;
import org.junit.jupiter.api.Test;

/** What a named issuer of tokens has of the settings that stand in application.properties. */
class IssuerDefaultsTest {

    @Test
    void namedIssuerHasTheSettingsOfTheUnnamedOne() {
        OidcTenantConfig people =
                issuer("people", Map.of("quarkus.oidc.people.auth-server-url", "https://people.example.com"));
        assertThat(people.token().signatureAlgorithm().map(Enum::name)).contains("RS256");
        assertThat(people.token().allowJwtIntrospection()).isFalse();
        assertThat(people.token().allowOpaqueTokenIntrospection()).isFalse();
        assertThat(people.token().forcedJwkRefreshInterval()).isEqualTo(Duration.ofSeconds(5));
        assertThat(people.token().lifespanGrace()).hasValue(5);
        assertThat(people.connectionTimeout()).isEqualTo(Duration.ofSeconds(1));
    }

    @Test
    void quotedNameHasThemToo() {
        assertThat(issuer("a.b", Map.of("quarkus.oidc.\"a.b\".auth-server-url", "https://people.example.com"))
                        .token()
                        .lifespanGrace())
                .hasValue(5);
    }

    @Test
    void settingOfItsOwnWins() {
        OidcTenantConfig people = issuer(
                "people",
                Map.of(
                        "quarkus.oidc.people.token.signature-algorithm", "ES256",
                        "quarkus.oidc.people.connection-timeout", "2S"));
        assertThat(people.token().signatureAlgorithm().map(Enum::name)).contains("ES256");
        assertThat(people.connectionTimeout()).isEqualTo(Duration.ofSeconds(2));
    }

    /** Each issuer has its own name for the service, and must be told. */
    @Test
    void audienceIsNotInherited() {
        OidcTenantConfig people = issuer(
                "people",
                Map.of(
                        "quarkus.oidc.token.audience", "countersign",
                        "quarkus.oidc.people.auth-server-url", "https://people.example.com"));
        assertThat(people.token().audience()).isEmpty();
        assertThat(people.token().issuer()).isEmpty();
    }

    private static OidcTenantConfig issuer(String name, Map<String, String> settings) {
        OidcConfig oidc = new SmallRyeConfigBuilder()
                .addDefaultInterceptors()
                .addDiscoveredConverters()
                .withInterceptors(new IssuerDefaults())
                .withSources(new PropertiesConfigSource(applicationProperties(), "application.properties", 250))
                .withSources(new PropertiesConfigSource(settings, "settings", 300))
                .withMapping(OidcConfig.class)
                .build()
                .getConfigMapping(OidcConfig.class);
        return Objects.requireNonNull(oidc.namedTenants().get(name));
    }

    private static Map<String, String> applicationProperties() {
        Properties properties = new Properties();
        try (InputStream file = IssuerDefaults.class.getResourceAsStream("/application.properties")) {
            properties.load(file);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return properties.entrySet().stream()
                .filter(entry -> entry.getKey().toString().startsWith("quarkus.oidc."))
                .collect(java.util.stream.Collectors.toMap(
                        entry -> entry.getKey().toString(),
                        entry -> entry.getValue().toString()));
    }
}
