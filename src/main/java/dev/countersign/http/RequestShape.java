package dev.countersign.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.countersign.error.BadRequestException;
import dev.countersign.error.TooLargeException;
import io.quarkus.runtime.configuration.MemorySize;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import jakarta.enterprise.event.Observes;
import java.net.URLDecoder;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Refuses an app ID that could never be one, and a body larger than any request has. It looks at the path as it was
 * sent: once the server has normalised it, {@code ..} and an empty app ID would be unknown paths.
 */
class RequestShape {

    /** After the CORS filter (300), so that a browser can read the error; before authentication (200). */
    private static final int PRIORITY = 250;

    private static final Pattern CHALLENGE_PATH = Pattern.compile("/+prod/+backend/([^/]*)/challenge(?:/.*)?");
    private static final Pattern APP_ID = Pattern.compile("[a-z0-9]{1,64}");

    private final long maxBodySize;
    /** Fails with 413 when a body whose length isn't told turns out to be too large. */
    private final BodyHandler readBody;

    RequestShape(@ConfigProperty(name = "quarkus.http.limits.max-body-size") MemorySize maxBodySize) {
        this.maxBodySize = maxBodySize.asLongValue();
        this.readBody = BodyHandler.create(false).setBodyLimit(this.maxBodySize);
    }

    void register(@Observes Filters filters) {
        filters.register(this::check, PRIORITY);
    }

    private void check(RoutingContext request) {
        try {
            refuseBadPath(String.valueOf(request.request().path()));
            String contentLength = request.request().getHeader("Content-Length");
            if (contentLength == null) {
                readBody.handle(request);
            } else {
                refuseLargeBody(contentLength);
                request.next();
            }
        } catch (BadRequestException | TooLargeException e) {
            request.fail(e);
        }
    }

    private static void refuseBadPath(String rawPath) {
        Matcher challenge = CHALLENGE_PATH.matcher(rawPath);
        if (challenge.matches() && !APP_ID.matcher(decode(challenge.group(1))).matches()) {
            throw new BadRequestException("appId must be 1 to 64 lowercase letters and digits");
        }
        decode(rawPath);
    }

    private static String decode(String path) {
        try {
            return URLDecoder.decode(path.replace("+", "%2B"), UTF_8);
        } catch (IllegalArgumentException e) {
            throw new BadRequestException("The path is not validly percent-encoded");
        }
    }

    private void refuseLargeBody(String contentLength) {
        // The HTTP codec has refused what is not a number.
        if (Long.parseLong(contentLength) > maxBodySize) {
            throw new TooLargeException(maxBodySize);
        }
    }
}
