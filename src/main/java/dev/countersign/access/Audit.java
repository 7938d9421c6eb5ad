package dev.countersign.access;

import dev.countersign.error.ForbiddenException;
import dev.countersign.logging.LogQueue;
import io.quarkus.security.identity.SecurityIdentity;
import io.quarkus.security.spi.runtime.AuthenticationFailureEvent;
import io.quarkus.security.spi.runtime.AuthorizationFailureEvent;
import io.quarkus.security.spi.runtime.SecurityEvent;
import io.vertx.ext.web.RoutingContext;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jboss.logmanager.ExtLogRecord;
import org.jboss.logmanager.ExtLogRecord.FormatStyle;
import org.jboss.logmanager.Level;
import org.jboss.logmanager.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Writes the audit log: one line per event, in the log category {@code countersign.audit}. A line says who did what to
 * which token, and the outcome. The fields are also in the log record's context (MDC), and the JSON format writes each
 * as a member. Codes, keys and signatures are never logged.
 *
 * <p>Callers pass the principal's name. A write that outlasts its request is audited after the reply, when the
 * request's identity is gone.
 */
@Singleton
public class Audit {

    private static final Logger LOG = Logger.getLogger(LogQueue.AUDIT);
    private static final String SUBJECT = "subject";
    private static final Pattern APP = Pattern.compile("/(?:backend|apps)/([a-z0-9]{1,64})(?:/|$)");
    private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{C}\\p{Zl}\\p{Zp}\"\\\\]");

    /** Records an operation that is done and durable, and the subject of its token. */
    public void done(String event, String principal, String app, @Nullable UUID session, @Nullable String subject) {
        write(event, "done", null, principal, app, session, subject);
    }

    /** Records a repeated call that got the same reply again. */
    public void repeated(String event, String principal, String app, UUID session, @Nullable String subject) {
        write(event, "repeated", null, principal, app, session, subject);
    }

    /**
     * Records a refused operation, and the subject that its token has or would have had. The caller may not be told the
     * reason.
     */
    public void refused(
            String event,
            String reason,
            String principal,
            String app,
            @Nullable UUID session,
            @Nullable String subject) {
        write(event, "refused", reason, principal, app, session, subject);
    }

    /** Records a caller whose credentials were refused. */
    void onAuthenticationFailure(@Observes AuthenticationFailureEvent event) {
        String reason = event.getAuthenticationFailure().getCause() instanceof ForbiddenException e
                ? e.type()
                : "UnauthorizedException";
        denied(reason, null, event);
    }

    /** Records a caller without the permission. Never log the {@code sub} of one without a principal: the caller controls it. */
    void onAuthorizationFailure(@Observes AuthorizationFailureEvent event) {
        SecurityIdentity identity = event.getSecurityIdentity();
        denied(
                identity == null || identity.isAnonymous()
                        ? "MissingAuthenticationTokenException"
                        : "AccessDeniedException",
                identity != null && identity.getPrincipal() instanceof Principal principal ? principal.name() : null,
                event);
    }

    /** Records a caller that was refused before it reached an operation. */
    private static void denied(String reason, @Nullable String principal, SecurityEvent event) {
        RoutingContext request = (RoutingContext) event.getEventProperties().get(RoutingContext.class.getName());
        Matcher app = APP.matcher(request == null ? "" : request.normalizedPath());
        write("access", "refused", reason, principal, app.find() ? app.group(1) : "", null, null);
    }

    private static void write(
            String event,
            String outcome,
            @Nullable String reason,
            @Nullable String principal,
            String app,
            @Nullable UUID session,
            @Nullable String subject) {
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("event", event);
        fields.put("outcome", outcome);
        put(fields, "reason", reason);
        put(fields, "principal", principal);
        put(fields, "app", app);
        put(fields, "session", session);
        put(fields, SUBJECT, subject);
        ExtLogRecord record = new ExtLogRecord(Level.INFO, line(fields), FormatStyle.NO_FORMAT, Audit.class.getName());
        record.setLoggerName(LogQueue.AUDIT);
        fields.forEach(record::putMdc);
        LOG.logRaw(record);
    }

    private static String line(Map<String, String> fields) {
        StringBuilder line = new StringBuilder(200);
        fields.forEach((name, value) ->
                line.append(line.isEmpty() ? "" : " ").append(name).append('=').append(shown(name, value)));
        return line.toString();
    }

    /** Quotes and escapes the subject: the caller chose it, and must not be able to forge a field or a line. */
    private static String shown(String name, String value) {
        return name.equals(SUBJECT)
                ? '"' + UNPRINTABLE.matcher(value).replaceAll(match -> escaped(match.group())) + '"'
                : value;
    }

    private static String escaped(String character) {
        return "\\\\u{" + Integer.toHexString(character.codePointAt(0)) + '}';
    }

    private static void put(Map<String, String> fields, String name, @Nullable Object value) {
        if (value != null && !value.toString().isEmpty()) {
            fields.put(name, value.toString());
        }
    }
}
