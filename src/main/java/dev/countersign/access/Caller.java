package dev.countersign.access;

import io.quarkus.security.identity.SecurityIdentity;
import org.jspecify.annotations.Nullable;

/**
 * Who calls an operation, in two respects: the configured principal, and the person or machine that a bearer token names.
 *
 * @param subject the verified token's subject, null for an access key
 * @param subjectIssuer the issuer that vouches for the subject
 */
public record Caller(
        Principal principal,
        @Nullable String subject,
        @Nullable String subjectIssuer) {

    /** The attributes of an identity that a bearer token has shown. */
    static final String SUBJECT = "countersign.subject";

    static final String SUBJECT_ISSUER = "countersign.subject-issuer";

    /** The caller of an operation that asks for a permission, so that its principal is known. */
    public static Caller of(SecurityIdentity identity) {
        return new Caller(
                (Principal) identity.getPrincipal(),
                identity.getAttribute(SUBJECT),
                identity.getAttribute(SUBJECT_ISSUER));
    }

    public String name() {
        return principal.getName();
    }

    /** Whether it may say whom a token of the app is for, whoever that is. */
    public boolean isDelegate(String appId) {
        return principal.may(Permission.DELEGATE, appId);
    }
}
