package dev.countersign.access;

import io.quarkus.security.PermissionChecker;
import io.quarkus.security.identity.SecurityIdentity;
import jakarta.inject.Singleton;

/**
 * The one place where it is decided who may do what. An operation names its permission in {@code @PermissionsAllowed};
 * the app is the operation's own parameter.
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

    /** What a list shows is a matter of its own. */
    @PermissionChecker("list")
    boolean mayList(SecurityIdentity identity) {
        return identity.getPrincipal() instanceof Principal principal && principal.may(Permission.ADMIN);
    }

    private static boolean may(SecurityIdentity identity, Permission permission, String appId) {
        return identity.getPrincipal() instanceof Principal principal && principal.may(permission, appId);
    }
}
