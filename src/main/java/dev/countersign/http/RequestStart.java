package dev.countersign.http;

import dev.countersign.error.BadRequestException;
import dev.countersign.error.UnavailableException;
import dev.countersign.logging.LogQueue;
import io.netty.channel.Channel;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.impl.ConnectionBase;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Singleton;
import java.util.List;

/**
 * Begins a request: sets the headers of its reply and starts its time. While a client doesn't read its replies, its
 * next request doesn't begin and nothing more is read from its connection. {@code quarkus.http.idle-timeout} ends such
 * a connection.
 */
@Singleton
class RequestStart implements Handler<RoutingContext> {

    private final RequestBudget budget;
    private final LogQueue log;

    RequestStart(RequestBudget budget, LogQueue log) {
        this.budget = budget;
        this.log = log;
    }

    @Override
    public void handle(RoutingContext context) {
        if (context.response().writeQueueFull()) {
            Channel channel = ((ConnectionBase) context.request().connection()).channel();
            channel.config().setAutoRead(false);
            context.response().drainHandler(_ -> {
                context.response().drainHandler(null);
                channel.config().setAutoRead(true);
                begin(context);
            });
        } else {
            begin(context);
        }
    }

    private void begin(RoutingContext context) {
        ReplyHeaders.set(context);
        if (context.request().headers().contains(HttpHeaders.TRANSFER_ENCODING)) {
            // The server then ignores a Content-Length, but an intermediary may have used it. So close the connection
            // (RFC 9112, section 6.1).
            closeAfterwards(context);
        }
        RequestDeadline deadline = RequestDeadline.start(budget.timeout(), () -> context.fail(RequestDeadline.over()));
        context.addEndHandler(_ -> end(context.request(), deadline));
        if (isOfAnotherCoding(context.request())) {
            context.fail(new BadRequestException("Transfer-Encoding must be chunked, or absent"));
        } else if (log.isFull()) {
            // The audit could not record the outcome.
            context.fail(new UnavailableException("Too many log records wait to be written"));
        } else {
            context.next();
        }
    }

    /**
     * Drops the rest of a refused body, so that the client can read the reply. Closes the connection when the request's
     * time is over.
     */
    private static void end(HttpServerRequest request, RequestDeadline deadline) {
        // A paused request doesn't report its end.
        request.resume();
        if (request.isEnded()) {
            deadline.cancel();
        } else {
            request.handler(null).exceptionHandler(null).endHandler(_ -> deadline.cancel());
            deadline.whenOver(() -> request.connection().close());
        }
    }

    /**
     * Whether the coding is any other than chunked. The server would take the body for the next request (RFC 9112,
     * section 6.3).
     */
    private static boolean isOfAnotherCoding(HttpServerRequest request) {
        List<String> codings = request.headers().getAll(HttpHeaders.TRANSFER_ENCODING);
        return !codings.isEmpty()
                && !(codings.size() == 1 && codings.getFirst().strip().equalsIgnoreCase("chunked"));
    }

    static void closeAfterwards(RoutingContext context) {
        context.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
        context.addEndHandler(_ -> context.request().connection().close());
    }
}
