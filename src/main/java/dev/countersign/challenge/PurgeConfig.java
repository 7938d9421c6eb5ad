package dev.countersign.challenge;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;

/** How expired tokens are purged. */
@ConfigMapping(prefix = "countersign.purge")
public interface PurgeConfig {

    /** How often the purge runs on each replica, such as `PT1M`; `off` disables the purge on this replica. */
    @WithDefault("PT1M")
    String every();

    /** How many expired rows of the default partition one transaction deletes, 1 to 100000. */
    @WithDefault("5000")
    @Min(1)
    @Max(100_000)
    int batchSize();
}
