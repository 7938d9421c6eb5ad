package dev.countersign.access;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What a principal may do with its apps. */
public enum Permission {
    /** Create tokens. */
    ISSUE,
    /** Name any subject for a token. */
    DELEGATE,
    /** Read live tokens, their codes included. */
    READ,
    /** Remove live tokens. */
    REMOVE,
    /** Redeem codes. */
    REDEEM,
    /** Register, change and delete apps. */
    ADMIN;

    static Optional<Permission> named(String name) {
        return Arrays.stream(values())
                .filter(permission -> permission.toString().equals(name))
                .findFirst();
    }

    /** The permission's name in the configuration. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
