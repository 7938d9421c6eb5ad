package dev.countersign.access;

import io.quarkus.oidc.runtime.OidcConfig;
import jakarta.inject.Singleton;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** The issuers of JSON Web Tokens. Immutable. */
@Singleton
class TokenIssuers {

    private final List<IssuerTenant> all;

    TokenIssuers(OidcConfig oidc) {
        all = oidc.namedTenants().entrySet().stream()
                .map(tenant -> new IssuerTenant(tenant.getKey(), tenant.getValue()))
                .filter(IssuerTenant::hasKeys)
                .toList();
    }

    boolean isEmpty() {
        return all.isEmpty();
    }

    boolean areSeveral() {
        return all.size() > 1;
    }

    /**
     * The issuer of tokens with this {@code iss}. An issuer without a configured {@code iss} is the only one and always
     * matches.
     */
    Optional<IssuerTenant> of(Optional<String> iss) {
        return all.stream()
                .filter(issuer -> issuer.iss().isEmpty() || issuer.iss().equals(iss))
                .findFirst();
    }

    /** The configured {@code iss} values, sorted. */
    List<String> configured() {
        return all.stream().flatMap(issuer -> issuer.iss().stream()).sorted().toList();
    }

    List<String> mistakes() {
        List<String> mistakes = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (IssuerTenant issuer : all) {
            mistakes.addAll(issuer.mistakes(areSeveral()));
            issuer.iss()
                    .filter(iss -> !seen.add(iss))
                    .ifPresent(iss -> mistakes.add("two issuers have " + iss
                            + " as token.issuer, so a token's issuer would be ambiguous: remove one"));
        }
        return mistakes;
    }
}
