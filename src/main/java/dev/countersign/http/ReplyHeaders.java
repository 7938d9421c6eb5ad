package dev.countersign.http;

import io.vertx.ext.web.RoutingContext;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import org.jboss.logging.MDC;
import org.jspecify.annotations.Nullable;

/**
 * Gives every reply a request id, which every log line of the request carries too, and the time (RFC 9110, section 6.6.1),
 * by which AWS clients correct their clock; and keeps caches away.
 */
final class ReplyHeaders {

    static final String REQUEST_ID = "x-amzn-RequestId";

    /** IMF-fixdate (RFC 9110, section 5.6.7). */
    private static final DateTimeFormatter DATE =
            DateTimeFormatter.ofPattern("EEE, dd MMM uuuu HH:mm:ss 'GMT'", Locale.ENGLISH);

    private static volatile @Nullable Date date;

    private ReplyHeaders() {}

    static void set(RoutingContext request) {
        // Unique, and no secret: a secure random one would cost more than the rest of this class.
        ThreadLocalRandom random = ThreadLocalRandom.current();
        String requestId = new UUID(random.nextLong(), random.nextLong()).toString();
        MDC.put("requestId", requestId);
        request.response().putHeader(REQUEST_ID, requestId).putHeader("Date", date());
        if (mayBeOfTheApi(request)) {
            request.response().putHeader("Cache-Control", "no-store");
        }
    }

    /** Written once a second. */
    private static String date() {
        long second = System.currentTimeMillis() / 1000;
        Date known = date;
        if (known == null || known.second != second) {
            known = new Date(second, DATE.format(Instant.ofEpochSecond(second).atOffset(ZoneOffset.UTC)));
            date = known;
        }
        return known.text;
    }

    private record Date(long second, String text) {}

    /** By the path that requests are routed by, however it was written. */
    private static boolean mayBeOfTheApi(RoutingContext request) {
        return !RequestShape.isDecodable(request) || request.normalizedPath().startsWith("/prod");
    }
}
