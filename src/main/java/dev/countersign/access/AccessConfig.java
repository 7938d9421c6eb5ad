package dev.countersign.access;

import io.smallrye.config.ConfigMapping;
import java.util.Optional;

/** How callers are told apart. */
@ConfigMapping(prefix = "countersign.access")
public interface AccessConfig {

    /**
     * The principal that a caller without credentials is. For development only: the service refuses to start with it in
     * production.
     */
    Optional<String> anonymousPrincipal();
}
