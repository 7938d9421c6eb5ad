package dev.countersign.access;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;

/** How signatures of AWS clients are verified. */
@ConfigMapping(prefix = "countersign.sigv4")
public interface SigV4Config {

    /** The region that clients name in the credential scope. */
    @WithDefault("us-east-1")
    String region();

    /** How far a request's time may be from this server's, 1 second to 15 minutes. */
    @WithDefault("PT5M")
    @DurationMin(seconds = 1)
    @DurationMax(minutes = 15)
    Duration maxSkew();

    /**
     * The URLs under which clients reach the service, with commas between them, such as
     * {@code https://auth.example.com}. Set it where a proxy rewrites the {@code Host} header or removes a prefix from
     * the path: clients sign the host and the path that they send. The {@code Host} that the service receives is
     * accepted too, for callers that bypass the proxy.
     */
    Optional<List<URI>> externalUrl();
}
