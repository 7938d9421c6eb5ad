package dev.countersign.http;

import dev.countersign.error.ForbiddenException;
import io.quarkus.vertx.http.runtime.cors.CORSFilter;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Singleton;
import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.eclipse.microprofile.config.Config;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Refuses a browser's request from an origin that isn't allowed, in the contract's shape and without any CORS header.
 * The CORS filter of Quarkus, which comes after, would refuse it too, but with an empty body and some of its headers.
 * That filter fails on a same-origin request whose target is no URI, so it doesn't get to see the origin of one.
 */
@Singleton
class OriginCheck implements Handler<RoutingContext> {

    private final List<String> origins;
    private final List<Pattern> patterns;
    private final boolean any;

    private final List<String> externalHosts;

    OriginCheck(@ConfigProperty(name = "quarkus.http.cors.origins") Optional<List<String>> origins, Config config) {
        this.origins = origins.orElse(List.of());
        this.patterns = CORSFilter.parseAllowedOriginsRegex(origins);
        // Quarkus takes an empty list for a wildcard.
        this.any = origins.isPresent() && CORSFilter.isConfiguredWithWildcard(origins);
        // The setting is access's, which this package doesn't import.
        this.externalHosts = config.getOptionalValues("countersign.sigv4.external-url", URI.class).stream()
                .flatMap(List::stream)
                .map(ExternalUrl::authority)
                .toList();
    }

    @Override
    public void handle(RoutingContext request) {
        List<String> told = request.request().headers().getAll(HttpHeaders.ORIGIN);
        // A cache must not give one origin what another was told.
        request.response().putHeader("Vary", "Origin");
        if (told.isEmpty() || (told.size() == 1 && isAllowed(told.getFirst()))) {
            request.next();
        } else if (told.size() == 1 && isSameOrigin(request.request(), told.getFirst())) {
            request.request().headers().remove(HttpHeaders.ORIGIN);
            request.next();
        } else {
            request.fail(new ForbiddenException("AccessDeniedException", "The origin may not call this service"));
        }
    }

    private boolean isAllowed(String origin) {
        return any || origins.contains(origin) || CORSFilter.isOriginAllowedByRegex(patterns, origin);
    }

    /**
     * As with Swagger UI, which this server serves itself. By host and port alone: a proxy before the service may speak
     * TLS where the service doesn't.
     */
    private boolean isSameOrigin(HttpServerRequest request, String origin) {
        String host = String.valueOf(request.getHeader(HttpHeaders.HOST));
        int scheme = origin.indexOf("://");
        if (scheme <= 0 || host.isEmpty()) {
            return false;
        }
        String authority = origin.substring(scheme + "://".length());
        return (request.authority() != null && authority.equals(host)) || externalHosts.contains(authority);
    }
}
