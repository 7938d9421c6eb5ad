package dev.countersign.http;

import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.Handler;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import java.util.List;

/** What a request passes before Quarkus authenticates it and calls its operation. From top to bottom. */
class RequestFilters {

    /** Quarkus has its CORS filter at 300 and authentication at 200. */
    private static final int BEFORE_CORS = 400;

    private static final int AFTER_CORS = 250;

    private final List<Handler<RoutingContext>> beforeCors;
    private final List<Handler<RoutingContext>> afterCors;

    RequestFilters(RequestStart start, OriginCheck origin, RequestShape shape, CallerLimit limit, RequestBody body) {
        beforeCors = List.of(
                // Every reply has an ID and ends in time, a refusal too.
                start,
                // A browser's page from elsewhere learns nothing. Quarkus' CORS filter, which follows, only adds
                // headers.
                origin);
        afterCors = List.of(
                // A browser can read what is wrong from here on. What no operation could be asked costs least.
                shape,
                // Whoever tries credentials too often is not verified again.
                limit,
                // A signature covers the body, so it is there before anybody is authenticated.
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
