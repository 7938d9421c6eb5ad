package dev.countersign.access;

import dev.countersign.error.UnicodeText;
import jakarta.json.JsonString;
import jakarta.json.JsonValue;
import java.util.Collection;
import java.util.Optional;
import org.jose4j.jwt.JwtClaims;
import org.jspecify.annotations.Nullable;

/** The claims of a verified JSON Web Token. A claim of an unexpected type counts as absent. */
record TokenClaims(JwtClaims claims) {

    private static final int MAX_SUBJECT_LENGTH = 256;

    /** Whether the claim is this string, or an array that contains it. */
    boolean has(String name, String value) {
        Object claim = value(name);
        return claim instanceof Collection<?> many
                ? many.stream().anyMatch(one -> value.equals(text(one)))
                : value.equals(text(claim));
    }

    /** The claim, if it is a string. */
    Optional<String> string(String name) {
        return Optional.ofNullable(text(value(name)));
    }

    /** The claim, if the contract allows it as a subject: 1 to 256 characters that PostgreSQL can store. */
    Optional<String> subject(String name) {
        return string(name)
                .filter(subject -> !subject.isEmpty()
                        && subject.codePointCount(0, subject.length()) <= MAX_SUBJECT_LENGTH
                        && UnicodeText.isStorable(subject));
    }

    /** The claim's value. An unverified {@code email} counts as absent, because anybody could have entered it. */
    private @Nullable Object value(String name) {
        return name.equals("email") && !isTrue(claims.getClaimValue("email_verified"))
                ? null
                : claims.getClaimValue(name);
    }

    private static boolean isTrue(@Nullable Object value) {
        return Boolean.TRUE.equals(value) || JsonValue.TRUE.equals(value);
    }

    private static @Nullable String text(@Nullable Object value) {
        return switch (value) {
            case String string -> string;
            case JsonString string -> string.getString();
            case null, default -> null;
        };
    }
}
