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
 * Sets the headers of every reply. The request id is also in every log line of the request. AWS clients correct their
 * clock by {@code Date} (RFC 9110, section 6.6.1). Replies of the API are never cached.
 */
final class ReplyHeaders {

    static final String REQUEST_ID = "x-amzn-RequestId";

    /** The format IMF-fixdate (RFC 9110, section 5.6.7). */
    private static final DateTimeFormatter DATE =
            DateTimeFormatter.ofPattern("EEE, dd MMM uuuu HH:mm:ss 'GMT'", Locale.ENGLISH);

    private static volatile @Nullable Date date;

    private ReplyHeaders() {}

    static void set(RoutingContext request) {
        // The id is unique but not secret. A secure random one would cost more than the rest of this class.
        ThreadLocalRandom random = ThreadLocalRandom.current();
        String requestId = new UUID(random.nextLong(), random.nextLong()).toString();
        MDC.put("requestId", requestId);
        request.response().putHeader(REQUEST_ID, requestId).putHeader("Date", date());
        if (mayBeOfTheApi(request)) {
            request.response().putHeader("Cache-Control", "no-store");
        }
    }

    /** The time in the {@code Date} format, formatted once a second. */
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

    /** Whether the request may be for the API: by the normalized path, by which requests are routed. */
    private static boolean mayBeOfTheApi(RoutingContext request) {
        return !RequestShape.isDecodable(request) || request.normalizedPath().startsWith("/prod");
    }
}
