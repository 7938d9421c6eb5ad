package dev.countersign.http;

import dev.countersign.error.BadRequestException;
import io.quarkus.runtime.configuration.MemorySize;
import io.vertx.core.Handler;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.impl.RoutingContextInternal;
import jakarta.inject.Singleton;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Reads a request's body, up to the largest size that the API allows. The body is kept as bytes; it is never parsed as
 * a form. Vert.x's own handler would decode a form, which this API doesn't have, and keep no bytes for a signature to
 * cover.
 */
@Singleton
class RequestBody implements Handler<RoutingContext> {

    private final long most;

    RequestBody(@ConfigProperty(name = "quarkus.http.limits.max-body-size") MemorySize most) {
        this.most = most.asLongValue();
    }

    @Override
    public void handle(RoutingContext context) {
        if (length(context.request()) > most) {
            context.fail(413);
        } else if (context.request().isEnded()) {
            keep(Buffer.buffer(), context);
        } else {
            read(context);
        }
    }

    /** The {@code Content-Length}; 0 without one. The server has already refused one that is not a number. */
    private static long length(HttpServerRequest request) {
        String length = request.getHeader(HttpHeaders.CONTENT_LENGTH);
        return length == null ? 0 : Long.parseLong(length.strip());
    }

    private void read(RoutingContext context) {
        HttpServerRequest request = context.request();
        Buffer body = Buffer.buffer();
        RequestDeadline deadline = RequestDeadline.current().orElseThrow();
        deadline.whenOver(() -> {
            RequestStart.closeAfterwards(context);
            context.fail(new BadRequestException("The body did not arrive in time"));
        });
        request.handler(part -> {
            if (body.length() + part.length() <= most) {
                body.appendBuffer(part);
            } else {
                context.fail(413);
            }
        });
        // The connection is gone, so nobody reads this reply.
        request.exceptionHandler(_ -> context.fail(400));
        request.endHandler(_ -> {
            request.exceptionHandler(null);
            deadline.whenOver(() -> context.fail(RequestDeadline.over()));
            keep(body, context);
        });
        if (HttpHeaders.CONTINUE.toString().equalsIgnoreCase(request.getHeader(HttpHeaders.EXPECT))) {
            request.response().writeContinue();
        }
        request.resume();
    }

    /** Keeps an empty body too: a later reader would take a missing one for a body still to come, and wait for it. */
    private static void keep(Buffer body, RoutingContext context) {
        if (context.body().buffer() == null) {
            ((RoutingContextInternal) context).setBody(body);
        }
        context.next();
    }
}
