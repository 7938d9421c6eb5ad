package dev.countersign.http;

import dev.countersign.error.ForbiddenException;
import io.quarkus.vertx.http.runtime.cors.CORSFilter;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Refuses a browser's request from an origin that isn't allowed, in the contract's shape and without any CORS header.
 * The CORS filter of Quarkus, which comes after, would refuse it too, but with an empty body and some of its headers.
 */
class OriginCheck {

    /** Before the CORS filter (300). */
    private static final int PRIORITY = 310;

    private final List<String> origins;
    private final List<Pattern> patterns;
    private final boolean any;

    OriginCheck(@ConfigProperty(name = "quarkus.http.cors.origins") Optional<List<String>> origins) {
        this.origins = origins.orElse(List.of());
        this.patterns = CORSFilter.parseAllowedOriginsRegex(origins);
        this.any = CORSFilter.isConfiguredWithWildcard(origins);
    }

    void register(@Observes Filters filters) {
        filters.register(this::check, PRIORITY);
    }

    private void check(RoutingContext request) {
        List<String> told = request.request().headers().getAll("Origin");
        // Who comes after looks at the first alone.
        if (told.isEmpty() || (told.size() == 1 && mayCall(told.getFirst(), request.request()))) {
            request.next();
        } else {
            request.fail(new ForbiddenException("AccessDeniedException", "The origin may not call this service"));
        }
    }

    private boolean mayCall(String origin, HttpServerRequest request) {
        return isAllowed(origin) || isSameOrigin(request, origin);
    }

    private boolean isAllowed(String origin) {
        return any || origins.contains(origin) || CORSFilter.isOriginAllowedByRegex(patterns, origin);
    }

    /** As with Swagger UI, which this server serves itself. */
    private static boolean isSameOrigin(HttpServerRequest request, String origin) {
        return request.authority() != null && origin.equals(request.scheme() + "://" + request.authority());
    }
}
