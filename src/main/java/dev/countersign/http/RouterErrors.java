package dev.countersign.http;

import dev.countersign.error.ErrorReply;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.Nullable;

/** Sends an error reply of the contract for requests that fail before they reach an operation, or reach none. */
class RouterErrors {

    private final boolean docs;

    RouterErrors(@ConfigProperty(name = "countersign.api-docs.enabled", defaultValue = "true") boolean docs) {
        this.docs = docs;
    }

    void register(@Observes Router router) {
        router.route().order(Integer.MIN_VALUE).failureHandler(this::reply);
        // Last: no other route matches the path.
        router.route().last().handler(request -> request.fail(404));
        // A path that can't be decoded reaches no route at all.
        router.errorHandler(400, this::reply);
        if (docs) {
            // A person's browser asks for HTML. Relative, so that it works behind a proxy that takes a prefix away.
            router.get("/").handler(request -> {
                if (String.valueOf(request.request().getHeader(HttpHeaders.ACCEPT))
                        .contains("text/html")) {
                    request.redirect("q/swagger-ui/");
                } else {
                    request.next();
                }
            });
        } else {
            // With the API's documentation off, Quarkus' own reply has no body. These routes come after the filters.
            router.route("/q/swagger-ui*").order(-1).handler(request -> request.fail(404));
            router.route("/q/openapi*").order(-1).handler(request -> request.fail(404));
        }
    }

    private void reply(RoutingContext request) {
        HttpServerResponse response = request.response();
        if (response.ended()) {
            return;
        }
        if (response.writeQueueFull()) {
            // The request passed no filter, so it did not wait until the client read earlier replies.
            request.request().connection().close();
            return;
        }
        if (!response.headers().contains(ReplyHeaders.REQUEST_ID)) {
            ReplyHeaders.set(request);
        }
        ErrorReply reply = replyTo(request.failure(), request.statusCode());
        response.setStatusCode(reply.status());
        reply.headers().forEach(response::putHeader);
        request.json(reply.body());
    }

    private static ErrorReply replyTo(@Nullable Throwable failure, int status) {
        return failure == null || status < 500 ? ErrorReply.ofStatus(status) : ErrorReply.of(failure);
    }
}
