package dev.countersign.limit;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import jakarta.validation.constraints.Min;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;

/** How much is too much. What is counted for an app holds for all replicas on one database together. */
@ConfigMapping(prefix = "countersign.limit")
public interface LimitConfig {

    /** How many tokens may be created for an app in a minute, when the app itself doesn't say; 1 or more. */
    @WithDefault("6000000")
    @Min(1)
    int createTokenPerMinute();

    /** How many tokens of an app may be read in a minute, whether there are such tokens or not; 1 or more. */
    @WithDefault("6000000")
    @Min(1)
    int readPerMinute();

    /** How many codes may be tried with an app in a minute, right or wrong, over all its tokens; 1 or more. */
    @WithDefault("6000000")
    @Min(1)
    int redeemPerMinute();

    /**
     * How many requests from one address may be refused for their credentials in a minute, by each replica; 1 or more.
     * An address that has used them up is not listened to until the next would be due. An IPv6 address counts as its
     * /64.
     */
    @WithDefault("6000")
    @Min(1)
    int refusedAuthenticationPerMinute();

    /**
     * How much of a minute's worth may come at once: with 3 seconds a limit of 600 admits 30 together, and then 10 a
     * second. No minute sees more than the limit, this share of it, and a hundredth of it for each replica. 1 second to
     * 1 minute; one call always may.
     */
    @WithDefault("PT3S")
    @DurationMin(seconds = 1)
    @DurationMax(minutes = 1)
    Duration burst();

    /**
     * The addresses of the proxies before the service, as {@code 10.0.0.0/8} or {@code 10.1.2.3}. Only what these say in
     * {@code X-Forwarded-For} is believed; without them, everybody behind a proxy has the proxy's address.
     */
    Optional<List<String>> trustedProxies();
}
