package dev.countersign.http;

import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import java.util.Set;

/** Refuses a method that the path doesn't have, with those that it has. */
class MethodCheck {

    /** Before the CORS filter (300), which would refuse a method that no path has with an empty body. */
    private static final int UNKNOWN_PRIORITY = 305;

    /** After {@link RequestShape} and the CORS filter, so that a browser can read the error; before authentication. */
    private static final int PRIORITY = 245;

    void register(@Observes Filters filters) {
        filters.register(MethodCheck::checkUnknown, UNKNOWN_PRIORITY);
        filters.register(MethodCheck::check, PRIORITY);
    }

    private static void checkUnknown(RoutingContext request) {
        if (AllowedMethods.isKnown(method(request))) {
            request.next();
        } else if (RequestShape.isDecodable(request)) {
            refuse(AllowedMethods.of(request.normalizedPath()), request);
        } else {
            request.fail(400);
        }
    }

    private static void check(RoutingContext request) {
        Set<String> allowed = AllowedMethods.of(request.normalizedPath());
        if (allowed.isEmpty() || allowed.contains(method(request))) {
            request.next();
        } else {
            refuse(allowed, request);
        }
    }

    /** RFC 9110, section 15.5.6. */
    private static void refuse(Set<String> allowed, RoutingContext request) {
        if (allowed.isEmpty()) {
            request.fail(404);
        } else {
            request.response().putHeader(HttpHeaders.ALLOW, String.join(", ", allowed));
            request.fail(405);
        }
    }

    private static String method(RoutingContext request) {
        return request.request().method().name();
    }
}
