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
 * Begins a request: names its reply and starts its time. A connection on which replies wait to be read gets no further
 * one until they were, and nothing more is read from it. {@code quarkus.http.idle-timeout} ends such a connection.
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
            // The server drops a Content-Length then, by which somebody on the way may have gone (RFC 9112, section
            // 6.1).
            closeAfterwards(context);
        }
        RequestDeadline deadline = RequestDeadline.start(budget.timeout(), () -> context.fail(RequestDeadline.over()));
        context.addEndHandler(_ -> end(context.request(), deadline));
        if (isOfAnotherCoding(context.request())) {
            context.fail(new BadRequestException("Transfer-Encoding must be chunked, or absent"));
        } else if (log.isFull()) {
            // The audit could not tell what came of it.
            context.fail(new UnavailableException("The log is not read"));
        } else {
            context.next();
        }
    }

    /** The rest of a body that was refused is dropped, so that the client gets to read why; but not for ever. */
    private static void end(HttpServerRequest request, RequestDeadline deadline) {
        // One that is paused doesn't say that it has ended.
        request.resume();
        if (request.isEnded()) {
            deadline.cancel();
        } else {
            request.handler(null).exceptionHandler(null).endHandler(_ -> deadline.cancel());
            deadline.whenOver(() -> request.connection().close());
        }
    }

    /** The server would take its body for the next request (RFC 9112, section 6.3). */
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
