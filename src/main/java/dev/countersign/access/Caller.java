package dev.countersign.access;

import io.quarkus.security.identity.SecurityIdentity;
import org.jspecify.annotations.Nullable;

/**
 * The caller of an operation: the configured principal, and the person or machine that its bearer token names.
 *
 * @param subject the verified bearer token's subject; null without a bearer token
 * @param subjectIssuer the issuer that vouches for the subject; null without one
 */
public record Caller(
        Principal principal,
        @Nullable String subject,
        @Nullable String subjectIssuer) {

    /** The attributes of an identity that a bearer token proved. */
    static final String SUBJECT = "countersign.subject";

    static final String SUBJECT_ISSUER = "countersign.subject-issuer";

    /** Returns the caller of an operation that requires a permission: its principal is a configured one. */
    public static Caller of(SecurityIdentity identity) {
        return new Caller(
                (Principal) identity.getPrincipal(),
                identity.getAttribute(SUBJECT),
                identity.getAttribute(SUBJECT_ISSUER));
    }

    public String name() {
        return principal.getName();
    }

    /** Whether the caller may name any subject for a token of the app. */
    public boolean isDelegate(String appId) {
        return principal.may(Permission.DELEGATE, appId);
    }
}
