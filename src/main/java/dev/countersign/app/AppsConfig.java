package dev.countersign.app;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithParentName;
import java.util.Map;
import java.util.Optional;

/** Apps that the configuration registers, and that the API can show but not change. */
@ConfigMapping(prefix = "countersign.apps")
public interface AppsConfig {

    /**
     * The apps by ID: 1 to 64 lowercase letters and digits. Each is registered, or changed to what stands here, when a
     * replica starts. One that no longer stands here stays registered, and the API can change and delete it.
     */
    @WithParentName
    Map<String, AppConfig> byId();

    /** One app. What is left out takes its default. */
    interface AppConfig {

        /** What people call the app: 1 to 128 characters, no control characters. Set it to register an app as it is. */
        Optional<String> displayName();

        /** How long the app's tokens live, in seconds, 1 to 3600. */
        Optional<Integer> ttlSeconds();

        /** How many tokens may be created for the app in a minute, 1 to 1000000. */
        Optional<Integer> createTokenPerMinute();
    }
}
