package dev.countersign.http;

import io.netty.handler.codec.DateFormatter;
import io.vertx.ext.web.RoutingContext;
import java.time.Instant;
import java.util.Date;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import org.jboss.logging.MDC;

/**
 * Sets the headers of every reply. The request id is also in every log line of the request. AWS clients correct their
 * clock by {@code Date} (RFC 9110, section 6.6.1). No reply is cached.
 */
final class ReplyHeaders {

    static final String REQUEST_ID = "x-amzn-RequestId";

    private ReplyHeaders() {}

    static void set(RoutingContext request) {
        // The id is unique but not secret. A secure random one would cost more than the rest of this class.
        ThreadLocalRandom random = ThreadLocalRandom.current();
        String requestId = new UUID(random.nextLong(), random.nextLong()).toString();
        MDC.put("requestId", requestId);
        request.response()
                .putHeader(REQUEST_ID, requestId)
                .putHeader("Date", DateFormatter.format(Date.from(Instant.now())))
                .putHeader("Cache-Control", "no-store");
    }
}
