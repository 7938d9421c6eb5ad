package dev.countersign.access;

import java.util.List;
import java.util.Set;

/**
 * A configured caller and what it may do.
 *
 * @param name the name in the configuration, which tokens, replies and the audit carry
 * @param apps exact app IDs, or prefixes that end with {@code *}
 */
public record Principal(String name, List<String> apps, Set<Permission> permissions)
        implements java.security.Principal {

    @Override
    public String getName() {
        return name;
    }

    /** Whether it has the permission for any app. */
    public boolean may(Permission permission) {
        return permissions.contains(permission);
    }

    /** Whether it has the permission for the app. */
    public boolean may(Permission permission, String appId) {
        return may(permission) && apps.stream().anyMatch(pattern -> new NamePattern(pattern).matches(appId));
    }
}
