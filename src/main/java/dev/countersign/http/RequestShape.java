package dev.countersign.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.countersign.error.BadRequestException;
import dev.countersign.error.ForbiddenException;
import io.vertx.core.Handler;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import jakarta.inject.Singleton;
import java.net.URLDecoder;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Refuses ambiguous requests (a second {@code Host}, {@code Authorization} or {@code Idempotency-Key} header), invalid
 * app IDs, methods that the path doesn't have, and bodies with a {@code Content-Encoding}. It checks the path as it was
 * sent: normalization removes an app ID that is empty or {@code ..}, so these requests would get 404 instead of 400.
 */
@Singleton
class RequestShape implements Handler<RoutingContext> {

    private static final String KEY = "Idempotency-Key";
    private static final Pattern CHALLENGE_PATH = Pattern.compile("/+prod/+backend/([^/]*)/challenge(?:/.*)?");
    private static final Pattern APP_PATH = Pattern.compile("/+prod/+apps/+([^/]+)/*");
    private static final Pattern DOT_SEGMENT = Pattern.compile("(?:^|/)\\.{1,2}(?:/|$)");
    private static final Pattern APP_ID = Pattern.compile("[a-z0-9]{1,64}");

    @Override
    public void handle(RoutingContext request) {
        try {
            refuseAmbiguous(request.request());
            refuseBadPath(String.valueOf(request.request().path()));
        } catch (BadRequestException | ForbiddenException e) {
            request.fail(e);
            return;
        }
        String method = request.request().method().name();
        Set<String> allowed = Contract.served().methods(request.normalizedPath());
        if (!allowed.isEmpty() && !allowed.contains(method)) {
            // RFC 9110, section 15.5.6, requires this header in a 405.
            request.response().putHeader(HttpHeaders.ALLOW, String.join(", ", allowed));
            request.fail(405);
        } else if (request.request().headers().contains(HttpHeaders.CONTENT_ENCODING)
                && Contract.served().takesBody(method, request.normalizedPath())) {
            request.fail(415);
        } else {
            request.next();
        }
    }

    private static void refuseAmbiguous(HttpServerRequest request) {
        if (request.version() == null) {
            // Such as FTP/1.1 and HTTP/9.9, which the server would answer as HTTP/1.1.
            throw new BadRequestException("This HTTP version is not supported. Use HTTP/1.1.");
        } else if (isRepeated("Host", request)) {
            // It must be clear which host a signature covers (RFC 9112, section 3.2).
            throw new BadRequestException("Send only one Host header");
        } else if (isRepeated("Authorization", request)) {
            // It must be clear whose call it is.
            throw new ForbiddenException("IncompleteSignatureException", "Send only one Authorization header");
        } else if (isRepeated(KEY, request) || "".equals(request.getHeader(KEY))) {
            // JAX-RS ignores an empty one and takes the first of two, so the caller would rely on a key without effect.
            throw new BadRequestException("Send at most one Idempotency-Key header, and not an empty one");
        }
    }

    private static boolean isRepeated(String header, HttpServerRequest request) {
        return request.headers().getAll(header).size() > 1;
    }

    private static void refuseBadPath(String rawPath) {
        refuseBadAppId(CHALLENGE_PATH.matcher(rawPath));
        refuseBadAppId(APP_PATH.matcher(rawPath));
        if (rawPath.indexOf(';') >= 0) {
            // JAX-RS would take what follows as a parameter of the segment, and drop it.
            throw new BadRequestException("No path of this API has a semicolon");
        }
        String path = decode(rawPath);
        if (path.indexOf('.') >= 0 && DOT_SEGMENT.matcher(path).find()) {
            // The verifier of signatures and the router remove dot segments in different ways.
            throw new BadRequestException("No path of this API has a segment . or ..");
        }
    }

    private static void refuseBadAppId(Matcher path) {
        if (path.matches() && !APP_ID.matcher(decode(path.group(1))).matches()) {
            throw new BadRequestException("appId must be 1 to 64 lowercase letters and digits");
        }
    }

    private static String decode(String path) {
        if (path.indexOf('%') < 0) {
            return path;
        }
        try {
            return URLDecoder.decode(path.replace("+", "%2B"), UTF_8);
        } catch (IllegalArgumentException e) {
            throw new BadRequestException("The path is not validly percent-encoded");
        }
    }
}
