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
 * The CORS filter of Quarkus, which runs later, would also refuse it, but with an empty body and some CORS headers.
 *
 * <p>That filter fails on a same-origin request whose target is not a URI. So the {@code Origin} of a same-origin
 * request is removed.
 */
@Singleton
class OriginCheck implements Handler<RoutingContext> {

    private final List<String> origins;
    private final List<Pattern> patterns;
    private final List<String> externalHosts;

    OriginCheck(@ConfigProperty(name = "quarkus.http.cors.origins") Optional<List<String>> origins, Config config) {
        this.origins = origins.orElse(List.of());
        this.patterns = CORSFilter.parseAllowedOriginsRegex(origins);
        // Read by name: the setting belongs to the package access, which this package doesn't import.
        this.externalHosts = config.getOptionalValues("countersign.sigv4.external-url", URI.class).stream()
                .flatMap(List::stream)
                .map(ExternalUrl::authority)
                .toList();
    }

    @Override
    public void handle(RoutingContext request) {
        List<String> told = request.request().headers().getAll(HttpHeaders.ORIGIN);
        // A cache must not serve one origin the reply to another.
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
        return origins.equals(List.of("*"))
                || origins.contains(origin)
                || CORSFilter.isOriginAllowedByRegex(patterns, origin);
    }

    /**
     * Whether the request comes from a page of this server, such as Swagger UI. It compares only host and port: a proxy
     * may speak TLS where the service doesn't.
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
