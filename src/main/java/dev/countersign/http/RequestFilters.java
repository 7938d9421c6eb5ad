package dev.countersign.http;

import io.quarkus.vertx.http.runtime.filters.Filters;
import jakarta.enterprise.event.Observes;

/** Registers what a request passes, from top to bottom, before Quarkus authenticates it and calls its operation. */
class RequestFilters {

    /** The priority of Quarkus' CORS filter is 300, that of authentication 200. */
    private static final int BEFORE_CORS = 400;

    private static final int AFTER_CORS = 250;

    void register(
            @Observes Filters filters,
            RequestStart start,
            OriginCheck origin,
            RequestShape shape,
            CallerLimit limit,
            RequestBody body) {
        // Every reply, even a refusal, has a request id and ends in time.
        filters.register(start, BEFORE_CORS);
        // A page of another origin learns nothing. Quarkus' CORS filter follows: it answers preflights and adds
        // headers.
        filters.register(origin, BEFORE_CORS - 1);
        // From here on, a browser can read errors. A request that no operation takes is refused first, at the least
        // cost.
        filters.register(shape, AFTER_CORS);
        // Callers whose credentials were refused too often are not verified again.
        filters.register(limit, AFTER_CORS - 1);
        // A signature covers the body, so the body is read before authentication.
        filters.register(body, AFTER_CORS - 2);
    }
}
