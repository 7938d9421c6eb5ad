package dev.countersign.access;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.countersign.access.Principals.AccessKey;
import dev.countersign.error.ForbiddenException;
import dev.countersign.http.ExternalUrl;
import io.quarkus.runtime.Startup;
import io.vertx.core.MultiMap;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.net.URI;
import java.security.MessageDigest;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Verifies AWS Signature Version 4 in a header: the scope, the time, that enough was signed, the body's hash, and then the
 * signature. Until then all work is small and linear in the request's size.
 */
@Startup
@Singleton
class SigV4Verifier {

    static final String SERVICE = "amplifybackend";

    private static final Pattern ABSOLUTE = Pattern.compile("(?i:https?)://[^/?#@]+(?:/(.*))?");
    /** No header has such a value. */
    private static final String MISSING = "\0";

    private static final int MOST_HEADER_LINES = 256;
    private static final String HOST = "host";
    private static final String DATE = "x-amz-date";
    private static final String CONTENT_HASH = "x-amz-content-sha256";
    private static final String TOKEN = "x-amz-security-token";
    /** Those that the service reads itself. Others with this prefix may be a proxy's, and are never read. */
    private static final Set<String> READ = Set.of(HOST, DATE, CONTENT_HASH, TOKEN);

    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'");
    private static final String EMPTY_HASH = SigV4Signature.sha256(new byte[0]);
    /** Signed for with an unknown access key, so that it takes as long as a known one. */
    private static final AccessKey NOBODY = new AccessKey(
            "nobody", "0123456789012345678901234567890123456789", new Principal("nobody", List.of(), Set.of()));

    private final Function<String, Optional<AccessKey>> accessKeys;
    private final String region;
    private final String service;
    private final Duration maxSkew;
    private final List<URI> externalUrls;
    private final Clock clock;

    /** Today's, by the ID of the access key. There are never more than there are access keys, and one. */
    private final Map<String, SigV4Signature> signatures = new ConcurrentHashMap<>();

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
        this.region = region;
        this.service = service;
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
     * The principal whose key signed the request. An unknown key costs as much as a wrong signature.
     *
     * @param header its {@code Authorization}
     * @throws ForbiddenException with AWS's name for the check that failed
     */
    Principal verify(String header, Received request) {
        SigV4Authorization authorization = SigV4Authorization.parse(header)
                .orElseThrow(() -> incomplete("The Authorization header must be " + SigV4Authorization.ALGORITHM
                        + " with Credential, SignedHeaders and Signature"));
        if (!authorization.isListInOrder()) {
            throw invalid("SignedHeaders must list at most 64 names in lowercase, in ascending order, each once");
        }
        MultiMap headers = request.headers();
        if (headers.contains(TOKEN)) {
            throw new ForbiddenException(
                    "UnrecognizedClientException",
                    "Session credentials are not known here. Sign with an access key and no session token.");
        }
        String date = date(headers);
        Instant time = time(date);
        checkScope(authorization, date);
        checkSkew(time);
        Map<String, String> signed = signedHeaders(authorization, headers);
        String bodyHash = bodyHash(headers, request.body());

        Optional<AccessKey> key = accessKeys.apply(authorization.accessKeyId());
        boolean matches = matches(authorization, request, signed, bodyHash, date, key.orElse(NOBODY));
        if (key.isEmpty()) {
            throw new ForbiddenException("UnrecognizedClientException", "The access key is not known here");
        } else if (!matches) {
            throw invalid("The signature does not match. Signed must be: method, path and query as sent, host "
                    + String.join(" or ", hosts(request)) + ", the headers listed, and the body's hash.");
        }
        return key.get().principal();
    }

    private static String date(MultiMap headers) {
        List<String> dates = headers.getAll(DATE);
        if (dates.size() != 1) {
            throw incomplete("One X-Amz-Date header is needed");
        }
        return dates.getFirst();
    }

    private static Instant time(String date) {
        try {
            return LocalDateTime.parse(date, TIME).toInstant(ZoneOffset.UTC);
        } catch (DateTimeParseException e) {
            throw incomplete("X-Amz-Date must be a time such as 20261123T120000Z");
        }
    }

    private void checkScope(SigV4Authorization authorization, String date) {
        if (!authorization.region().equals(region)) {
            throw invalid("The credential scope must name the region " + region);
        } else if (!authorization.service().equals(service)) {
            throw invalid("The credential scope must name the service " + service);
        } else if (!authorization.terminator().equals(SigV4Signature.TERMINATOR)) {
            throw invalid("The credential scope must end with " + SigV4Signature.TERMINATOR);
        } else if (!date.startsWith(authorization.date() + "T")) {
            throw invalid("The credential scope's date must be that of X-Amz-Date");
        }
    }

    /** AWS clients correct their clock on this error, by the reply's Date header. */
    private void checkSkew(Instant time) {
        Duration skew = Duration.between(time, clock.instant()).abs();
        if (skew.compareTo(maxSkew) > 0) {
            throw invalid("Signature expired: X-Amz-Date is " + skew.toSeconds() + " seconds from this server's time, "
                    + maxSkew.toSeconds() + " are allowed");
        }
    }

    /** The headers that are listed, by name, with their values as they are signed; in one pass over what was received. */
    private static Map<String, String> signedHeaders(SigV4Authorization authorization, MultiMap headers) {
        Map<String, String> signed = new LinkedHashMap<>();
        authorization.signedHeaders().forEach(name -> signed.put(name, MISSING));
        if (!signed.containsKey(HOST)) {
            throw invalid("The host header must be signed");
        }
        int lines = 0;
        for (Map.Entry<String, String> header : headers) {
            if (++lines > MOST_HEADER_LINES) {
                throw invalid("The request has more than " + MOST_HEADER_LINES + " header lines");
            }
            String name = header.getKey().toLowerCase(Locale.ROOT);
            boolean isSigned = signed.containsKey(name);
            boolean isRead = READ.contains(name);
            if (isRead && !isSigned) {
                throw invalid(name + " must be signed");
            } else if (isSigned) {
                String value = SigV4CanonicalRequest.value(header.getValue());
                String before = signed.put(name, value);
                if (before != null && !before.equals(MISSING)) {
                    if (isRead) {
                        throw invalid("There may be one " + name + " header");
                    }
                    signed.put(name, before + "," + value);
                }
            }
        }
        signed.forEach((name, value) -> {
            if (value.equals(MISSING)) {
                throw invalid("SignedHeaders names " + name + ", which the request doesn't have");
            }
        });
        return signed;
    }

    private static String bodyHash(MultiMap headers, byte[] body) {
        String hash = body.length == 0 ? EMPTY_HASH : SigV4Signature.sha256(body);
        String told = headers.get(CONTENT_HASH);
        if (told != null && !told.equals(hash)) {
            throw invalid(CONTENT_HASH + " is not the hash of the body");
        }
        return hash;
    }

    private boolean matches(
            SigV4Authorization authorization,
            Received request,
            Map<String, String> signed,
            String bodyHash,
            String date,
            AccessKey key) {
        SigV4Signature signature = signatures.compute(
                key.id(),
                (_, known) -> known != null && known.isOf(authorization.date())
                        ? known
                        : new SigV4Signature(key.secret(), authorization.date(), region, service));
        byte[] told = authorization.signature().getBytes(US_ASCII);
        boolean matches = isEqual(signature, canonical(request, "", signed, bodyHash), date, told);
        for (URI url : externalUrls) {
            if (!matches) {
                signed.put(HOST, ExternalUrl.authority(url));
                matches = isEqual(signature, canonical(request, prefix(url), signed, bodyHash), date, told);
            }
        }
        return matches;
    }

    private static boolean isEqual(SigV4Signature signature, String canonicalRequest, String date, byte[] told) {
        return MessageDigest.isEqual(signature.of(canonicalRequest, date).getBytes(US_ASCII), told);
    }

    private static String canonical(Received request, String prefix, Map<String, String> signed, String bodyHash) {
        String target = target(request.uri());
        int question = target.indexOf('?');
        StringBuilder canonical =
                new StringBuilder(512).append(request.method()).append('\n');
        try {
            canonical
                    .append(SigV4CanonicalRequest.path(
                            prefix + (question < 0 ? target : target.substring(0, question))))
                    .append('\n')
                    .append(question < 0 ? "" : SigV4CanonicalRequest.query(target.substring(question + 1)))
                    .append('\n');
        } catch (IllegalArgumentException e) {
            throw invalid("The query is not validly percent-encoded");
        }
        signed.forEach((name, value) ->
                canonical.append(name).append(':').append(value).append('\n'));
        return canonical
                .append('\n')
                .append(String.join(";", signed.keySet()))
                .append('\n')
                .append(bodyHash)
                .toString();
    }

    /** Path and query. A client of a proxy may send them behind scheme and host (RFC 9112, section 3.2.2). */
    private static String target(String uri) {
        Matcher absolute = ABSOLUTE.matcher(uri);
        String target = absolute.matches() ? "/" + Objects.requireNonNullElse(absolute.group(1), "") : uri;
        if (!target.startsWith("/")) {
            throw invalid("The request line must have a path");
        }
        return target;
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

    private static ForbiddenException incomplete(String message) {
        return new ForbiddenException("IncompleteSignatureException", message);
    }

    private static ForbiddenException invalid(String message) {
        return new ForbiddenException("InvalidSignatureException", message);
    }

    /**
     * A request as it was received.
     *
     * @param uri the request's target, not decoded
     * @param body empty when there is none
     */
    // Never compared, so the array's identity does no harm.
    @SuppressWarnings("ArrayRecordComponent")
    record Received(String method, String uri, MultiMap headers, byte[] body) {}
}
