package dev.countersign.access;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;

/** What AWS clients sign for. */
@ConfigMapping(prefix = "countersign.sigv4")
public interface SigV4Config {

    /** The region that clients sign for, in the credential scope. */
    @WithDefault("us-east-1")
    String region();

    /** How far a request's time may be from this server's, 1 second to 15 minutes. */
    @WithDefault("PT5M")
    @DurationMin(seconds = 1)
    @DurationMax(minutes = 15)
    Duration maxSkew();

    /**
     * The URLs under which clients reach the service, such as {@code https://auth.example.com}, where a proxy before it
     * rewrites the {@code Host} header or takes a prefix off the path. Clients sign both as they send them. The
     * {@code Host} as it was received counts too, for callers that don't come through the proxy.
     */
    Optional<List<URI>> externalUrl();
}
