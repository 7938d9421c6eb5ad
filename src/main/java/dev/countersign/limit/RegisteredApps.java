package dev.countersign.limit;

import java.util.Map;

/** What limits need to know of the registry of apps, which implements it. Its methods block. */
public interface RegisteredApps {

    /**
     * The creates per minute of the apps that have a rate of their own, by app ID.
     *
     * @param most no more than so many, the first in the order of their IDs
     */
    Map<String, Integer> createTokensPerMinute(int most);

    boolean isRegistered(String appId);
}
