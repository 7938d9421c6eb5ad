package dev.countersign.http;

import dev.countersign.error.BadRequestException;
import io.quarkus.runtime.configuration.MemorySize;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.impl.RoutingContextInternal;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import java.util.List;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.Nullable;

/**
 * Reads a request's body before anything else looks at it, as far as any request of this API has one, so that whoever
 * refuses a request leaves nothing unread on its connection. It is bytes, whatever its type: Vert.x's own handler would
 * decode a form, of which there is none here, and fail where it can't.
 */
class RequestBody {

    /** After {@link ReplyHeaders} and before all else. */
    private static final int PRIORITY = Integer.MAX_VALUE - 1;

    private static final String FAULT = RequestBody.class.getName();

    private final long most;
    private final long timeoutMillis;

    /** @param timeout The time that a client has to send a request's body, after which the request is refused. */
    RequestBody(
            @ConfigProperty(name = "quarkus.http.limits.max-body-size") MemorySize most,
            @ConfigProperty(name = "countersign.body-timeout", defaultValue = "PT10S") Duration timeout) {
        this.most = most.asLongValue();
        this.timeoutMillis = timeout.toMillis();
    }

    void register(@Observes Filters filters) {
        filters.register(this::read, PRIORITY);
    }

    /** What there is to say of a body that was not read to its end; null of others. */
    static @Nullable Fault fault(RoutingContext context) {
        return context.get(FAULT);
    }

    private void read(RoutingContext context) {
        if (context.request().headers().contains(HttpHeaders.TRANSFER_ENCODING)) {
            // The server drops a Content-Length then, by which somebody on the way may have gone (RFC 9112, section
            // 6.1).
            closeAfterwards(context);
        }
        if (isOfAnotherCoding(context.request())) {
            context.fail(new BadRequestException("Transfer-Encoding must be chunked, or absent"));
        } else if (context.request().isEnded()) {
            // As one that is routed again, to the page of Swagger UI for one: there is nothing left to read.
            keep(Buffer.buffer(), context);
        } else {
            new Reading(context).begin();
        }
    }

    /** The server would take its body for the next request (RFC 9112, section 6.3). */
    private static boolean isOfAnotherCoding(HttpServerRequest request) {
        List<String> codings = request.headers().getAll(HttpHeaders.TRANSFER_ENCODING);
        return !codings.isEmpty()
                && !(codings.size() == 1 && codings.getFirst().strip().equalsIgnoreCase("chunked"));
    }

    private static void closeAfterwards(RoutingContext context) {
        context.response().putHeader(HttpHeaders.CONNECTION, HttpHeaders.CLOSE);
        context.addEndHandler(_ -> context.request().connection().close());
    }

    /** An empty one too: who reads it later takes none for one that is still to come, and would wait for it. */
    private static void keep(Buffer body, RoutingContext context) {
        if (context.body().buffer() == null) {
            ((RoutingContextInternal) context).setBody(body);
        }
        context.next();
    }

    enum Fault {
        TOO_LARGE,
        TOO_SLOW
    }

    /** Of one request, on its event loop. */
    private final class Reading {

        private final RoutingContext context;
        private final HttpServerRequest request;
        private final Buffer body = Buffer.buffer();
        private boolean over;
        private long alarm = -1;

        Reading(RoutingContext context) {
            this.context = context;
            this.request = context.request();
        }

        void begin() {
            long length = length();
            request.handler(this::add);
            request.endHandler(_ -> end());
            request.exceptionHandler(_ -> breakOff());
            if (length != 0) {
                // A client that sends a byte now and then is never idle.
                alarm = context.vertx().setTimer(timeoutMillis, _ -> giveUp());
            }
            boolean waits = HttpHeaders.CONTINUE.toString().equalsIgnoreCase(request.getHeader(HttpHeaders.EXPECT));
            if (length > most) {
                refuse(Fault.TOO_LARGE);
            } else if (waits) {
                request.response().writeContinue();
            }
            request.resume();
        }

        /** By the header, as the server itself has refused one that is no number; -1 when only the end will tell. */
        private long length() {
            String length = request.getHeader(HttpHeaders.CONTENT_LENGTH);
            if (length != null) {
                return Long.parseLong(length.strip());
            }
            return request.headers().contains(HttpHeaders.TRANSFER_ENCODING) ? -1 : 0;
        }

        private void add(Buffer part) {
            // What comes after a refusal is dropped, so that the client gets to read it.
            if (!over && body.length() + part.length() > most) {
                refuse(Fault.TOO_LARGE);
            } else if (!over) {
                body.appendBuffer(part);
            }
        }

        private void end() {
            context.vertx().cancelTimer(alarm);
            if (!over) {
                over = true;
                keep(body, context);
            }
        }

        private void giveUp() {
            if (!over) {
                closeAfterwards(context);
                refuse(Fault.TOO_SLOW);
            } else if (!request.isEnded()) {
                request.connection().close();
            }
        }

        /** The connection is gone, and nobody reads what the request is told. */
        private void breakOff() {
            context.vertx().cancelTimer(alarm);
            if (!over) {
                over = true;
                context.fail(400);
            }
        }

        private void refuse(Fault fault) {
            over = true;
            context.put(FAULT, fault);
            context.next();
        }
    }
}
