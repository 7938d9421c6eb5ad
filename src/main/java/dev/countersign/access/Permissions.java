package dev.countersign.access;

import io.quarkus.security.PermissionChecker;
import io.quarkus.security.identity.SecurityIdentity;
import jakarta.inject.Singleton;

/**
 * Decides who may call an operation. The operation names its permission in {@code @PermissionsAllowed}; the app is the
 * operation's own parameter. Only the permission to delegate is checked elsewhere ({@link Caller#isDelegate}).
 */
@Singleton
class Permissions {

    @PermissionChecker("issue")
    boolean mayIssue(SecurityIdentity identity, String appId) {
        return may(identity, Permission.ISSUE, appId);
    }

    @PermissionChecker("read")
    boolean mayRead(SecurityIdentity identity, String appId) {
        return may(identity, Permission.READ, appId);
    }

    @PermissionChecker("remove")
    boolean mayRemove(SecurityIdentity identity, String appId) {
        return may(identity, Permission.REMOVE, appId);
    }

    @PermissionChecker("redeem")
    boolean mayRedeem(SecurityIdentity identity, String appId) {
        return may(identity, Permission.REDEEM, appId);
    }

    @PermissionChecker("admin")
    boolean mayAdminister(SecurityIdentity identity, String appId) {
        return may(identity, Permission.ADMIN, appId);
    }

    /** Whether the caller may list apps at all. The query then returns only apps of the caller. */
    @PermissionChecker("list")
    boolean mayList(SecurityIdentity identity) {
        return identity.getPrincipal() instanceof Principal principal && principal.may(Permission.ADMIN);
    }

    private static boolean may(SecurityIdentity identity, Permission permission, String appId) {
        return identity.getPrincipal() instanceof Principal principal && principal.may(permission, appId);
    }
}
