package dev.countersign.app;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithParentName;
import java.util.Map;
import java.util.Optional;

/** Apps that the configuration registers. The API shows them but can't change them. */
@ConfigMapping(prefix = "countersign.apps")
public interface AppsConfig {

    /**
     * An app. Its ID has 1 to 64 lowercase letters and digits. Each replica registers the app, or changes it to these
     * settings, when it starts. An app that is removed from the configuration stays registered, and the API can then
     * change and delete it.
     */
    @WithParentName
    Map<String, AppConfig> byId();

    /** One app. A setting that is left out takes its default. */
    interface AppConfig {

        /**
         * The app's display name: 1 to 128 characters, no ASCII control characters. Set it to register an app that
         * keeps all defaults.
         */
        Optional<String> displayName();

        /** How long the app's tokens live, in seconds, 1 to 3600. */
        Optional<Integer> ttlSeconds();

        /** How many tokens may be created for the app per minute, 1 to 60000000. */
        Optional<Integer> createTokenPerMinute();
    }
}
