package dev.countersign.http;

import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import org.jboss.logging.MDC;

/** Gives every reply a request id, which every log line of the request carries too, and keeps caches away. */
class ReplyHeaders {

    static final String REQUEST_ID = "x-amzn-RequestId";

    /** Before the CORS filter, which may end a request. */
    private static final int PRIORITY = Integer.MAX_VALUE;

    void register(@Observes Filters filters) {
        filters.register(
                request -> {
                    set(request);
                    request.next();
                },
                PRIORITY);
    }

    static void set(RoutingContext request) {
        // Unique, and no secret: a secure random one would cost more than the rest of this class.
        ThreadLocalRandom random = ThreadLocalRandom.current();
        String requestId = new UUID(random.nextLong(), random.nextLong()).toString();
        MDC.put("requestId", requestId);
        request.response().putHeader(REQUEST_ID, requestId);
        if (mayBeOfTheApi(request)) {
            request.response().putHeader("Cache-Control", "no-store");
        }
    }

    /** By the path that requests are routed by, however it was written. */
    private static boolean mayBeOfTheApi(RoutingContext request) {
        return !RequestShape.isDecodable(request) || request.normalizedPath().startsWith("/prod");
    }
}
