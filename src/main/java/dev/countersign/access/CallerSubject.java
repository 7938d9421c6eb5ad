package dev.countersign.access;

/** The attributes of a caller's identity that say whom its JSON Web Token speaks for. Other callers have neither. */
public final class CallerSubject {

    /** A string of 1 to 256 characters: the token's {@code sub}, or the claim that {@code subject-claim} names. */
    public static final String SUBJECT = "countersign.subject";

    /** The token's {@code iss}, a string. A subject means somebody only together with it. */
    public static final String ISSUER = "countersign.subject-issuer";

    private CallerSubject() {}
}
