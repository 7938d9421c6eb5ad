package dev.countersign.access;

import java.util.List;
import java.util.Set;

/**
 * Somebody who is known, and what they may do.
 *
 * @param name the name in the configuration, which tokens, replies and the audit carry
 * @param apps app IDs, exact, or prefixes that end with {@code *}
 */
public record Principal(String name, List<String> apps, Set<Permission> permissions)
        implements java.security.Principal {

    @Override
    public String getName() {
        return name;
    }

    /** Whether it may do this at all, on one app or another. */
    public boolean may(Permission permission) {
        return permissions.contains(permission);
    }

    /** Whether it may do this with the app. */
    public boolean may(Permission permission, String appId) {
        return may(permission) && apps.stream().anyMatch(pattern -> new NamePattern(pattern).matches(appId));
    }
}
