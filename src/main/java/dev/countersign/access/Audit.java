package dev.countersign.access;

import dev.countersign.logging.LogQueue;
import jakarta.inject.Singleton;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;
import org.jboss.logmanager.ExtLogRecord;
import org.jboss.logmanager.ExtLogRecord.FormatStyle;
import org.jboss.logmanager.Level;
import org.jboss.logmanager.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Writes who did what with which token, and what came of it: one line an event, in the log category {@code
 * countersign.audit}. The fields also go into the log record's context, where the JSON format makes members of them.
 * Codes, keys and signatures are never among them.
 *
 * <p>Callers say who the principal is: what is done only after the request was answered, as a write is that took longer
 * than the request's time, has no identity any more.
 */
@Singleton
public class Audit {

    private static final Logger LOG = Logger.getLogger(LogQueue.AUDIT);
    private static final String SUBJECT = "subject";
    private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{C}\\p{Zl}\\p{Zp}\"\\\\]");

    /** An operation has been done, and is durable. */
    public void done(String event, String principal, String app, @Nullable UUID session) {
        done(event, principal, app, session, null);
    }

    /** An operation with a token that is for a subject has been done, and is durable. */
    public void done(String event, String principal, String app, @Nullable UUID session, @Nullable String subject) {
        write(event, "done", null, principal, app, session, subject);
    }

    /** A caller repeated itself, and got the same reply again. */
    public void repeated(String event, String principal, String app, UUID session, @Nullable String subject) {
        write(event, "repeated", null, principal, app, session, subject);
    }

    /** An operation was refused, for a reason that its caller may not be told. */
    public void refused(String event, String reason, String principal, String app, @Nullable UUID session) {
        refused(event, reason, principal, app, session, null);
    }

    /** The same, for a token that is, or would have been, for a subject. */
    public void refused(
            String event,
            String reason,
            String principal,
            String app,
            @Nullable UUID session,
            @Nullable String subject) {
        write(event, "refused", reason, principal, app, session, subject);
    }

    /** A caller was refused before it reached an operation. */
    void denied(String reason, @Nullable String principal, String app) {
        write("access", "refused", reason, principal, app, null, null);
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

    /** A caller chose the subject, and must not be able to write a field, or a line, of its own. */
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
