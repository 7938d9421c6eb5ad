package dev.countersign.access;

import io.quarkus.security.identity.SecurityIdentity;
import jakarta.inject.Singleton;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;
import org.jboss.logging.MDC;
import org.jspecify.annotations.Nullable;

/**
 * Writes who did what with which token, and what came of it: one line an event, in the log category {@code
 * countersign.audit}. The fields also go into the log record's context, where the JSON format makes members of them.
 * Codes, keys and signatures are never among them.
 */
@Singleton
public class Audit {

    private static final Logger LOG = Logger.getLogger("countersign.audit");

    private final SecurityIdentity identity;

    public Audit(SecurityIdentity identity) {
        this.identity = identity;
    }

    /** An operation has been done, and is durable. */
    public void done(String event, String app, @Nullable UUID session) {
        write(event, "done", null, principal(), app, session);
    }

    /** A caller repeated itself, and got the same reply again. */
    public void repeated(String event, String app, UUID session) {
        write(event, "repeated", null, principal(), app, session);
    }

    /** An operation was refused, for a reason that its caller may not be told. */
    public void refused(String event, String reason, String app, @Nullable UUID session) {
        write(event, "refused", reason, principal(), app, session);
    }

    /** A caller was refused before it reached an operation. */
    void denied(String reason, @Nullable String principal, String app) {
        write("access", "refused", reason, principal, app, null);
    }

    private String principal() {
        return identity.getPrincipal().getName();
    }

    private static void write(
            String event,
            String outcome,
            @Nullable String reason,
            @Nullable String principal,
            String app,
            @Nullable UUID session) {
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("event", event);
        fields.put("outcome", outcome);
        put(fields, "reason", reason);
        put(fields, "principal", principal);
        put(fields, "app", app);
        put(fields, "session", session);
        fields.forEach(MDC::put);
        try {
            LOG.info(fields.entrySet().stream().map(Map.Entry::toString).collect(Collectors.joining(" ")));
        } finally {
            fields.keySet().forEach(MDC::remove);
        }
    }

    private static void put(Map<String, String> fields, String name, @Nullable Object value) {
        if (value != null && !value.toString().isEmpty()) {
            fields.put(name, value.toString());
        }
    }
}
