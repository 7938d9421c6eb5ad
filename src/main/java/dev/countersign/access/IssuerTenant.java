package dev.countersign.access;

import io.quarkus.oidc.runtime.OidcConfig;
import io.quarkus.oidc.runtime.OidcTenantConfig;
import io.quarkus.oidc.runtime.OidcUtils;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An issuer of JSON Web Tokens. Each is a tenant of Quarkus OIDC.
 *
 * @param key the tenant's name in the configuration
 */
record IssuerTenant(String key, OidcTenantConfig config) {

    private static final String ANY = "any";

    /** The ID by which Quarkus finds the tenant. */
    String id() {
        return isDefault() ? OidcUtils.DEFAULT_TENANT_ID : key;
    }

    /** The {@code iss} of its tokens; empty if Quarkus discovers it from the issuer. */
    Optional<String> iss() {
        return config.token().issuer();
    }

    /** Whether it can verify tokens: the tenant is enabled and says where its keys are. */
    boolean hasKeys() {
        return config.tenantEnabled()
                && (config.authServerUrl().isPresent()
                        || config.publicKey().isPresent()
                        || config.jwksPath().isPresent()
                        || config.certificateChain().trustStoreFile().isPresent()
                        || config.provider().isPresent());
    }

    /**
     * Lists the settings with which it would accept tokens for other services, of other issuers, or with any algorithm.
     *
     * @param oneOfSeveral whether there are other issuers; {@code token.issuer} then tells whose token it is
     */
    List<String> mistakes(boolean oneOfSeveral) {
        List<String> mistakes = new ArrayList<>();
        List<String> audience = config.token().audience().orElse(List.of());
        if (audience.isEmpty() || audience.contains(ANY)) {
            mistakes.add(set(
                    "token.audience",
                    "to the issuer's name for this service. Otherwise tokens for other services would be accepted"));
        }
        if (config.token().signatureAlgorithm().isEmpty()) {
            mistakes.add(set(
                    "token.signature-algorithm",
                    "to the issuer's algorithm, such as RS256; otherwise a token could choose it"));
        }
        if (iss().map(ANY::equals).orElse(oneOfSeveral || !isDiscovered())) {
            mistakes.add(set("token.issuer", "to the iss of its tokens, by which the service knows who issued one"));
        }
        return mistakes;
    }

    private String set(String property, String toWhat) {
        String prefix = isDefault() ? "quarkus.oidc" : "quarkus.oidc." + key;
        return prefix + " has an issuer of tokens. Set " + prefix + "." + property + " " + toWhat + ".";
    }

    private boolean isDefault() {
        return key.equals(OidcConfig.DEFAULT_TENANT_KEY);
    }

    /** Whether Quarkus discovers the issuer. A well-known provider doesn't count: it may leave the issuer open. */
    private boolean isDiscovered() {
        return config.authServerUrl().isPresent()
                && config.discoveryEnabled().orElse(true)
                && config.provider().isEmpty();
    }
}
