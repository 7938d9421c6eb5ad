package dev.countersign.limit;

import dev.countersign.api.model.LimitType;

/** The limits. The registry is limited for each principal, everything else for each app. */
public enum AppLimit {
    CREATE_TOKEN("issue", "Too many tokens were created for this app", LimitType.CREATE_TOKEN_RATE),
    READ("read", "Too many tokens of this app were read", LimitType.READ_RATE),
    REDEEM("redeem", "Too many codes of this app were tried", LimitType.REDEEM_RATE),
    REMOVE("remove", "Too many tokens of this app were removed", LimitType.REMOVE_RATE),
    REGISTRY("registry", "Too many calls of the registry by this principal", LimitType.REGISTRY_RATE);

    /** The operation's name in the audit. */
    final String event;

    final String message;
    final LimitType type;

    AppLimit(String event, String message, LimitType type) {
        this.event = event;
        this.message = message;
        this.type = type;
    }
}
