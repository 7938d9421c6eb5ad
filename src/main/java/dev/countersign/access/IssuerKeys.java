package dev.countersign.access;

import io.quarkus.oidc.runtime.OidcProvider;
import io.quarkus.oidc.runtime.TenantConfigBean;
import io.quarkus.oidc.runtime.TenantConfigContext;
import io.quarkus.scheduler.Scheduled;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import jakarta.inject.Singleton;
import java.util.stream.Stream;

/**
 * Fetches the issuers' keys again every few minutes, so that an issuer may change a key and keep the key's ID. Quarkus
 * fetches keys only for an unknown ID. Its setting for keys that expire, {@code quarkus.oidc.jwks.resolve-early=false},
 * would let any caller make it fetch with every request.
 */
@Singleton
class IssuerKeys {

    private final TenantConfigBean tenants;

    IssuerKeys(TenantConfigBean tenants) {
        this.tenants = tenants;
    }

    /** Completes when each issuer has answered or failed. The known keys of one that failed stay. */
    @Scheduled(every = "5m", delayed = "5m")
    Uni<Void> refresh() {
        Stream<OidcProvider> issuers = Stream.concat(
                        Stream.of(tenants.getDefaultTenant()), tenants.getStaticTenantsConfig().values().stream())
                // Without an issuer, the default tenant is there all the same, with a provider that has no keys.
                .filter(tenant -> tenant.ready()
                        && tenant.oidcConfig().authServerUrl().isPresent()
                        && tenant.oidcConfig().jwks().resolveEarly())
                .map(TenantConfigContext::provider);
        return Multi.createFrom()
                .items(issuers)
                .onItem()
                .transformToUniAndMerge(IssuerKeys::refresh)
                .collect()
                .last()
                .replaceWithVoid();
    }

    /** Never fails. Quarkus fetches the keys and then verifies a token with them; here it gets none. */
    private static Uni<Void> refresh(OidcProvider issuer) {
        return Uni.createFrom()
                .deferred(() -> issuer.refreshJwksAndVerifyJwtToken("", false, false, null))
                .onFailure()
                .recoverWithNull()
                .replaceWithVoid();
    }
}
