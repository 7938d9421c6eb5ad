package dev.countersign.limit;

import java.util.Map;
import java.util.Set;

/** What the limits need from the registry of apps. The package {@code app} implements it. The methods block. */
public interface RegisteredApps {

    /**
     * The creates per minute of the apps that have a rate of their own, by app ID.
     *
     * @param most how many apps to return at most: the first in the order of their IDs
     */
    Map<String, Integer> createTokensPerMinute(int most);

    /** Those of the apps that are registered. */
    Set<String> registered(Set<String> appIds);
}
