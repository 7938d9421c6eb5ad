package dev.countersign.limit;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;

/**
 * Rate limits. A limit without a default is off until you set it. An empty value also turns it off. All replicas on
 * one database share the limits; only the limit on refused credentials is each replica's own.
 */
@ConfigMapping(prefix = "countersign.limit")
public interface LimitConfig {

    /** How many tokens may be created per minute for each app that has no rate of its own, 1 to 60000000. */
    @Min(1)
    @Max(60_000_000)
    OptionalInt createTokenPerMinute();

    /** How many reads of tokens each app may have per minute, whether found or not, 1 to 60000000. */
    @Min(1)
    @Max(60_000_000)
    OptionalInt readPerMinute();

    /** How many codes may be tried per minute for each app, right or wrong, over all its tokens, 1 to 60000000. */
    @Min(1)
    @Max(60_000_000)
    OptionalInt redeemPerMinute();

    /** How many removals of tokens each app may have per minute, whether found or not, 1 to 60000000. */
    @Min(1)
    @Max(60_000_000)
    OptionalInt removePerMinute();

    /** How many calls of the registry of apps each principal may make per minute, 1 to 60000000. */
    @Min(1)
    @Max(60_000_000)
    OptionalInt registryPerMinute();

    /**
     * How many requests with refused credentials an address may send to each replica per minute, 1 or more. An address
     * over this rate gets 429 until its rate admits it again. All addresses of an IPv6 /64 network count as one.
     * Off until {@code trusted-proxies} is set.
     */
    @WithDefault("6000")
    @Min(1)
    int refusedAuthenticationPerMinute();

    /**
     * The burst, given as a time from 1 second to 1 minute: a limit admits at once as many calls as are due in this
     * time, but at least 10. A limit below 10 a minute admits all its calls at once. With 3 seconds, a limit of 600 a
     * minute admits 30 calls at once, and then 10 a second.
     */
    @WithDefault("PT3S")
    @DurationMin(seconds = 1)
    @DurationMax(minutes = 1)
    Duration burst();

    /**
     * The addresses of the proxies before the service, such as {@code 10.0.0.0/8} or {@code 10.1.2.3}. Set {@code none}
     * if callers connect directly. An {@code X-Forwarded-For} header is trusted only as far as these proxies wrote it.
     * Until this is set, refused credentials are not limited, because all callers behind a proxy would share one limit.
     */
    Optional<List<String>> trustedProxies();
}
