package dev.countersign.access;

import io.smallrye.config.ConfigMapping;
import java.util.Optional;

/** How callers without credentials are treated. */
@ConfigMapping(prefix = "countersign.access")
public interface AccessConfig {

    /**
     * The principal of callers without credentials. For development only: in production, the service refuses to start
     * when it is set.
     */
    Optional<String> anonymousPrincipal();
}
