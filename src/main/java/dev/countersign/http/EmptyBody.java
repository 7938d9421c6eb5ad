package dev.countersign.http;

import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.core.HttpHeaders;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;

/**
 * Treats an empty body as no body, whatever its {@code Content-Type}. Some clients send that header with every call,
 * and an operation with an optional body would refuse it. Authentication still sees the header, which may be signed.
 */
class EmptyBody {

    @ServerRequestFilter(preMatching = true)
    void forgetItsType(ContainerRequestContext context, RoutingContext request) {
        if (request.body().length() <= 0 && request.request().headers().contains(HttpHeaders.CONTENT_TYPE)) {
            context.getHeaders().remove(HttpHeaders.CONTENT_TYPE);
        }
    }
}
