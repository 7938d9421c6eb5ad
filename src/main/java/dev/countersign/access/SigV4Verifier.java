package dev.countersign.access;

import static dev.countersign.access.SigV4CanonicalRequest.DATE;
import static dev.countersign.access.SigV4CanonicalRequest.HOST;
import static dev.countersign.access.SigV4Refusal.incomplete;
import static dev.countersign.access.SigV4Refusal.invalid;
import static dev.countersign.access.SigV4Refusal.unrecognized;
import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.countersign.access.Principals.AccessKey;
import dev.countersign.access.SigV4CanonicalRequest.Received;
import dev.countersign.http.ExternalUrl;
import io.quarkus.runtime.Startup;
import io.vertx.core.MultiMap;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.net.URI;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Verifies the {@code Authorization} header of AWS Signature Version 4. The time, the scope, the signed headers and the
 * body's hash are checked before the signature. Until then all work is small and linear in the request's size.
 */
@Startup
@Singleton
class SigV4Verifier {

    static final String SERVICE = "amplifybackend";

    private static final Pattern TIME = Pattern.compile("\\d{8}T\\d{6}Z");
    /** Stands in for an unknown access key, so that refusing one takes as long as refusing a wrong signature. */
    private static final AccessKey NOBODY = new AccessKey(
            "nobody", "0123456789012345678901234567890123456789", new Principal("nobody", List.of(), Set.of()));

    private final Function<String, Optional<AccessKey>> accessKeys;
    /** The credential scope after its day. */
    private final String scopeEnd;

    private final Duration maxSkew;
    private final List<URI> externalUrls;
    private final Clock clock;

    /**
     * The signing key that was last used, by access key ID. At most one entry per access key, and one for
     * {@link #NOBODY}.
     */
    private final Map<String, SigV4SigningKey> signingKeys = new ConcurrentHashMap<>();

    @Inject
    SigV4Verifier(Principals principals, SigV4Config config) {
        this(
                principals::accessKey,
                config.region(),
                SERVICE,
                config.maxSkew(),
                config.externalUrl().orElse(List.of()),
                Clock.systemUTC());
    }

    SigV4Verifier(
            Function<String, Optional<AccessKey>> accessKeys,
            String region,
            String service,
            Duration maxSkew,
            List<URI> externalUrls,
            Clock clock) {
        this.accessKeys = accessKeys;
        this.scopeEnd = "/" + region + "/" + service + "/aws4_request";
        this.maxSkew = maxSkew;
        externalUrls.forEach(SigV4Verifier::requireSchemeAndHost);
        this.externalUrls = List.copyOf(externalUrls);
        this.clock = clock;
    }

    private static void requireSchemeAndHost(URI externalUrl) {
        if (externalUrl.getScheme() == null || externalUrl.getHost() == null) {
            throw new IllegalStateException("countersign.sigv4.external-url is " + externalUrl
                    + ", which is no URL with a scheme and a host, such as https://auth.example.com");
        }
    }

    /**
     * Returns the principal whose key signed the request. An unknown key costs as much as a wrong signature.
     *
     * @param header the request's {@code Authorization} header
     * @throws dev.countersign.error.ForbiddenException with AWS's name for the check that failed
     */
    Principal verify(String header, Received request) {
        SigV4Authorization authorization = SigV4Authorization.parse(header);
        if (request.headers().contains(SigV4CanonicalRequest.TOKEN)) {
            throw unrecognized("Session credentials are not known here. Sign with an access key and no session token.");
        }
        String date = date(request.headers());
        Instant time = time(date);
        String scope = scope(authorization, date);
        checkSkew(time);
        SigV4CanonicalRequest canonical = new SigV4CanonicalRequest(authorization.signedHeaders(), request);

        Optional<AccessKey> key = accessKeys.apply(authorization.accessKeyId());
        boolean matches = matches(authorization, canonical, date, scope, key.orElse(NOBODY));
        if (key.isEmpty()) {
            throw unrecognized("The access key is not known here");
        } else if (!matches) {
            throw invalid("The signature does not match. It must cover the method, the path and query as sent, host "
                    + String.join(" or ", hosts(request)) + ", the headers listed, and the body's hash.");
        }
        return key.get().principal();
    }

    private static String date(MultiMap headers) {
        List<String> dates = headers.getAll(DATE);
        if (dates.size() != 1) {
            throw incomplete("Send exactly one X-Amz-Date header");
        }
        return dates.getFirst();
    }

    /** Refuses a time too far from now. AWS clients then correct their clock by the reply's {@code Date} header. */
    private void checkSkew(Instant time) {
        Duration skew = Duration.between(time, clock.instant()).abs();
        if (skew.compareTo(maxSkew) > 0) {
            throw invalid("Signature expired: X-Amz-Date is " + skew.toSeconds() + " seconds from this server's time, "
                    + maxSkew.toSeconds() + " are allowed");
        }
    }

    private static Instant time(String date) {
        try {
            if (TIME.matcher(date).matches()) {
                // A formatter would take ten times as long.
                return LocalDateTime.of(
                                number(date, 0, 4),
                                number(date, 4, 6),
                                number(date, 6, 8),
                                number(date, 9, 11),
                                number(date, 11, 13),
                                number(date, 13, 15))
                        .toInstant(ZoneOffset.UTC);
            }
        } catch (DateTimeException _) {
            // Digits, but of no day or no time.
        }
        throw incomplete("X-Amz-Date must be a time such as 20261123T120000Z");
    }

    private static int number(String digits, int begin, int end) {
        return Integer.parseInt(digits, begin, end, 10);
    }

    private String scope(SigV4Authorization authorization, String date) {
        String scope = date.substring(0, date.indexOf('T')) + scopeEnd;
        if (!authorization.scope().equals(scope)) {
            throw invalid("The credential scope must be " + scope);
        }
        return scope;
    }

    private boolean matches(
            SigV4Authorization authorization, SigV4CanonicalRequest request, String date, String scope, AccessKey key) {
        SigV4SigningKey signingKey = signingKeys.compute(
                key.id(),
                (_, known) -> known != null && known.isFor(scope) ? known : new SigV4SigningKey(key.secret(), scope));
        byte[] told = authorization.signature().getBytes(US_ASCII);
        boolean matches = isEqual(signingKey.sign(request.received(), date), told);
        for (URI url : externalUrls) {
            matches = matches
                    || isEqual(signingKey.sign(request.sentTo(ExternalUrl.authority(url), prefix(url)), date), told);
        }
        return matches;
    }

    private static boolean isEqual(String signature, byte[] told) {
        return MessageDigest.isEqual(signature.getBytes(US_ASCII), told);
    }

    private List<String> hosts(Received request) {
        return Stream.concat(
                        Stream.of(String.valueOf(request.headers().get(HOST))),
                        externalUrls.stream().map(ExternalUrl::authority))
                .toList();
    }

    private static String prefix(URI url) {
        String path = String.valueOf(url.getRawPath());
        return path.endsWith("/") ? path.substring(0, path.length() - 1) : path;
    }
}
