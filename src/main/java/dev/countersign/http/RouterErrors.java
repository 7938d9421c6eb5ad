package dev.countersign.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.error.ErrorReply;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.Nullable;

/** Replies in the contract's shape to what fails before it reaches an operation, or reaches none. */
class RouterErrors {

    private final ObjectMapper json;

    private final boolean docs;

    RouterErrors(
            ObjectMapper json,
            @ConfigProperty(name = "countersign.api-docs.enabled", defaultValue = "true") boolean docs) {
        this.json = json;
        this.docs = docs;
    }

    void register(@Observes Router router) {
        router.route().order(Integer.MIN_VALUE).failureHandler(this::reply);
        // After every other route: what is left is nobody's.
        router.route().last().handler(request -> request.fail(404));
        // A path that can't be decoded meets no route at all.
        router.errorHandler(400, this::reply);
        if (!docs) {
            // Quarkus' own reply, where the API's documentation is switched off, has no body. After the filters.
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
            // It met no filter, and so did not wait for the replies before it to be read.
            request.request().connection().close();
            return;
        }
        if (!response.headers().contains(ReplyHeaders.REQUEST_ID)) {
            ReplyHeaders.set(request);
        }
        ErrorReply reply = replyTo(request.failure(), request.statusCode());
        response.setStatusCode(reply.status());
        reply.headers().forEach(response::putHeader);
        response.end(body(reply));
    }

    private static ErrorReply replyTo(@Nullable Throwable failure, int status) {
        return failure == null || status < 500 ? ErrorReply.ofStatus(status) : ErrorReply.of(failure);
    }

    private Buffer body(ErrorReply reply) {
        try {
            return Buffer.buffer(json.writeValueAsBytes(reply.body()));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("An error body is plain JSON", e);
        }
    }
}
