package dev.countersign.http;

import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.Handler;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import java.util.List;

/** Registers what a request passes, from top to bottom, before Quarkus authenticates it and calls its operation. */
class RequestFilters {

    /** The priority of Quarkus' CORS filter is 300, that of authentication 200. */
    private static final int BEFORE_CORS = 400;

    private static final int AFTER_CORS = 250;

    private final List<Handler<RoutingContext>> beforeCors;
    private final List<Handler<RoutingContext>> afterCors;

    RequestFilters(RequestStart start, OriginCheck origin, RequestShape shape, CallerLimit limit, RequestBody body) {
        beforeCors = List.of(
                // Every reply, even a refusal, has a request id and ends in time.
                start,
                // A page of another origin learns nothing. Quarkus' CORS filter, which follows, only adds headers.
                origin);
        afterCors = List.of(
                // From here on, a browser can read errors. A request that no operation takes is refused first, at the
                // least cost.
                shape,
                // Callers whose credentials were refused too often are not verified again.
                limit,
                // A signature covers the body, so the body is read before authentication.
                body);
    }

    void register(@Observes Filters filters) {
        register(filters, beforeCors, BEFORE_CORS);
        register(filters, afterCors, AFTER_CORS);
    }

    private static void register(Filters filters, List<Handler<RoutingContext>> handlers, int priority) {
        for (Handler<RoutingContext> handler : handlers) {
            filters.register(handler, priority--);
        }
    }
}
