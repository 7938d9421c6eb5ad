package dev.countersign.http;

import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.container.ContainerRequestContext;
import jakarta.ws.rs.core.HttpHeaders;
import org.jboss.resteasy.reactive.server.ServerRequestFilter;

/**
 * Takes an empty body for none, whatever type the request gives it: some clients send a {@code Content-Type} with every
 * call, and an operation whose body is optional would refuse it. Authentication still sees the header, which may be signed.
 */
class EmptyBody {

    @ServerRequestFilter(preMatching = true)
    void forgetItsType(ContainerRequestContext context, RoutingContext request) {
        if (request.body().length() <= 0 && request.request().headers().contains(HttpHeaders.CONTENT_TYPE)) {
            context.getHeaders().remove(HttpHeaders.CONTENT_TYPE);
        }
    }
}
