package dev.countersign.access;

import io.quarkus.oidc.OidcRequestContext;
import io.quarkus.oidc.OidcTenantConfig;
import io.quarkus.oidc.TenantConfigResolver;
import io.quarkus.oidc.TenantResolver;
import io.smallrye.mutiny.Uni;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Singleton;
import java.util.Optional;
import org.jose4j.jwt.MalformedClaimException;
import org.jose4j.jwt.consumer.InvalidJwtException;
import org.jose4j.jwt.consumer.JwtConsumer;
import org.jose4j.jwt.consumer.JwtConsumerBuilder;
import org.jspecify.annotations.Nullable;

/**
 * Selects the OIDC tenant that verifies a bearer token, by the token's {@code iss}. Nothing is fetched for a token that
 * names no configured issuer.
 *
 * <p>{@code quarkus.oidc.resolve-tenants-with-issuer} would do the same, but with it, if an issuer doesn't answer at
 * the start and at the first call, Quarkus never tries that issuer again.
 *
 * <p>A {@link TenantConfigResolver} also lets the service start without any issuer. Quarkus would otherwise require
 * one.
 */
@Singleton
class IssuerResolver implements TenantResolver, TenantConfigResolver {

    private static final String SCHEME = "bearer ";

    /** A disabled tenant. Quarkus OIDC ignores a token for it, and {@link SigV4Mechanism} then refuses the token. */
    private final OidcTenantConfig none = OidcTenantConfig.builder()
            .tenantId("no-issuer")
            .tenantEnabled(false)
            .build();

    /** Reads the claims of a token without verifying it. */
    private final JwtConsumer reader = new JwtConsumerBuilder()
            .setSkipAllValidators()
            .setDisableRequireSignature()
            .setSkipSignatureVerification()
            .build();

    private final TokenIssuers issuers;

    IssuerResolver(TokenIssuers issuers) {
        this.issuers = issuers;
    }

    @Override
    public Uni<OidcTenantConfig> resolve(RoutingContext context, OidcRequestContext<OidcTenantConfig> request) {
        String token = bearerToken(context);
        return token == null || issuers.of(iss(token)).isPresent()
                ? Uni.createFrom().nullItem()
                : Uni.createFrom().item(none);
    }

    @Override
    public @Nullable String resolve(RoutingContext context) {
        String token = bearerToken(context);
        return token == null
                ? null
                : issuers.of(iss(token)).map(IssuerTenant::id).orElse(null);
    }

    private static @Nullable String bearerToken(RoutingContext context) {
        String header = context.request().getHeader("Authorization");
        return header != null && header.regionMatches(true, 0, SCHEME, 0, SCHEME.length())
                ? header.substring(SCHEME.length())
                : null;
    }

    private Optional<String> iss(String token) {
        try {
            return Optional.ofNullable(reader.processToClaims(token).getIssuer());
        } catch (InvalidJwtException | MalformedClaimException _) {
            return Optional.empty();
        }
    }
}
