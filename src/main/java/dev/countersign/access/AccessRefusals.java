package dev.countersign.access;

import dev.countersign.error.ForbiddenException;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.security.spi.runtime.AuthenticationFailureEvent;
import io.quarkus.security.spi.runtime.AuthorizationFailureEvent;
import io.quarkus.security.spi.runtime.SecurityEvent;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Writes an audit record when Quarkus refuses a caller. */
@Singleton
class AccessRefusals {

    private static final Pattern APP = Pattern.compile("/(?:backend|apps)/([a-z0-9]{1,64})(?:/|$)");

    private final Audit audit;

    AccessRefusals(Audit audit) {
        this.audit = audit;
    }

    void onAuthenticationFailure(@Observes AuthenticationFailureEvent event) {
        String reason = event.getAuthenticationFailure().getCause() instanceof ForbiddenException e
                ? e.type()
                : "UnauthorizedException";
        audit.denied(reason, null, app(event));
    }

    void onAuthorizationFailure(@Observes AuthorizationFailureEvent event) {
        SecurityIdentity identity = event.getSecurityIdentity();
        boolean known = identity != null && !identity.isAnonymous();
        audit.denied(
                known ? "AccessDeniedException" : "MissingAuthenticationTokenException",
                known ? name(identity) : null,
                app(event));
    }

    /** The principal's name; null for an unmapped caller. Never log an unmapped {@code sub}: the caller controls it. */
    private static @Nullable String name(SecurityIdentity identity) {
        return identity.getPrincipal() instanceof Principal principal ? principal.getName() : null;
    }

    private static String app(SecurityEvent event) {
        return event.getEventProperties().get(RoutingContext.class.getName()) instanceof RoutingContext context
                ? app(context.normalizedPath())
                : "";
    }

    private static String app(String path) {
        Matcher app = APP.matcher(path);
        return app.find() ? app.group(1) : "";
    }
}
