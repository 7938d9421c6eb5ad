package dev.countersign.http;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.countersign.error.BadRequestException;
import io.quarkus.runtime.configuration.MemorySize;
import io.quarkus.vertx.http.runtime.filters.Filters;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import io.vertx.ext.web.impl.RoutingContextInternal;
import jakarta.enterprise.event.Observes;
import java.net.URLDecoder;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Refuses an app ID that could never be one, a second host, and a body larger than any request has. It looks at the path
 * as it was sent: once the server has normalised it, {@code ..} and an empty app ID would be unknown paths.
 */
class RequestShape {

    /** After the CORS filter (300), so that a browser can read the error; before authentication (200). */
    private static final int PRIORITY = 250;

    private static final Pattern CHALLENGE_PATH = Pattern.compile("/+prod/+backend/([^/]*)/challenge(?:/.*)?");
    private static final Pattern APP_ID = Pattern.compile("[a-z0-9]{1,64}");

    /** Fails with 413 when the body is too large. A signature covers the body, so it must be there to be verified. */
    private final BodyHandler readBody;

    RequestShape(@ConfigProperty(name = "quarkus.http.limits.max-body-size") MemorySize maxBodySize) {
        this.readBody = BodyHandler.create(false).setBodyLimit(maxBodySize.asLongValue());
    }

    void register(@Observes Filters filters) {
        filters.register(this::check, PRIORITY);
        filters.register(RequestShape::keepEmptyBody, PRIORITY - 1);
    }

    private void check(RoutingContext request) {
        try {
            refuseSecondHost(request.request());
            refuseBadPath(String.valueOf(request.request().path()));
            if (request.request().isEnded()) {
                // As the first request of a client that goes on in HTTP/2: there is nothing left to read.
                request.next();
            } else {
                readBody.handle(request);
            }
        } catch (BadRequestException e) {
            request.fail(e);
        }
    }

    /** Who reads the body later takes none for one that is still to come, and would wait for it. */
    private static void keepEmptyBody(RoutingContext request) {
        if (request.request().isEnded() && request.body().buffer() == null) {
            ((RoutingContextInternal) request).setBody(Buffer.buffer());
        }
        request.next();
    }

    /** RFC 9112, section 3.2. A signature covers one host, and it must be clear which. */
    private static void refuseSecondHost(HttpServerRequest request) {
        if (request.headers().getAll("Host").size() > 1) {
            throw new BadRequestException("There may be one Host header");
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
