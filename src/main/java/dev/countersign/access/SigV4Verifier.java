package dev.countersign.access;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.countersign.access.Principals.AccessKey;
import dev.countersign.error.ForbiddenException;
import io.quarkus.runtime.Startup;
import io.vertx.core.MultiMap;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.net.URI;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.internal.signer.CredentialScope;
import software.amazon.awssdk.http.auth.aws.internal.signer.DefaultV4RequestSigner;
import software.amazon.awssdk.http.auth.aws.internal.signer.V4Properties;
import software.amazon.awssdk.http.auth.aws.internal.signer.V4RequestSigningResult;
import software.amazon.awssdk.identity.spi.AwsCredentialsIdentity;

/**
 * Verifies AWS Signature Version 4 in a header. AWS's own signer recomputes the signature from what was received; this
 * class checks what a recomputation can't: the scope, the time, the body's hash, and that enough was signed.
 */
@Startup
@Singleton
class SigV4Verifier {

    static final String SERVICE = "amplifybackend";

    private static final String TERMINATOR = "aws4_request";
    private static final String DATE = "x-amz-date";
    private static final String CONTENT_HASH = "x-amz-content-sha256";
    private static final String TOKEN = "x-amz-security-token";
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'");
    private static final AwsCredentialsIdentity NOBODY =
            AwsCredentialsIdentity.create("nobody", "0123456789012345678901234567890123456789");

    private final Function<String, Optional<AccessKey>> accessKeys;
    private final String region;
    private final String service;
    private final Duration maxSkew;
    private final Optional<URI> externalUrl;
    private final Clock clock;

    @Inject
    SigV4Verifier(Principals principals, SigV4Config config) {
        this(
                principals::accessKey,
                config.region(),
                SERVICE,
                config.maxSkew(),
                config.externalUrl(),
                Clock.systemUTC());
    }

    SigV4Verifier(
            Function<String, Optional<AccessKey>> accessKeys,
            String region,
            String service,
            Duration maxSkew,
            Optional<URI> externalUrl,
            Clock clock) {
        this.accessKeys = accessKeys;
        this.region = region;
        this.service = service;
        this.maxSkew = maxSkew;
        externalUrl.ifPresent(SigV4Verifier::requireSchemeAndHost);
        this.externalUrl = externalUrl;
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
        MultiMap headers = request.headers();
        if (headers.contains(TOKEN)) {
            throw new ForbiddenException(
                    "UnrecognizedClientException",
                    "Session credentials are not known here. Sign with an access key and no session token.");
        }
        String date = signedDate(headers);
        Instant time = time(date);
        checkScope(authorization, date);
        checkSkew(time);
        checkSignedHeaders(authorization, headers);
        String bodyHash = bodyHash(headers, request.body());

        Optional<AccessKey> key = accessKeys.apply(authorization.accessKeyId());
        byte[] expected = sign(authorization, request, bodyHash, time, key);
        boolean matches =
                MessageDigest.isEqual(expected, authorization.signature().getBytes(US_ASCII));
        if (key.isEmpty()) {
            throw new ForbiddenException("UnrecognizedClientException", "The access key is not known here");
        } else if (!matches) {
            throw invalid("The signature does not match. Signed must be: method, path and query as sent, host "
                    + host(request) + ", the headers listed, and the body's hash.");
        }
        return key.get().principal();
    }

    private static String signedDate(MultiMap headers) {
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
        } else if (!authorization.terminator().equals(TERMINATOR)) {
            throw invalid("The credential scope must end with " + TERMINATOR);
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

    private static void checkSignedHeaders(SigV4Authorization authorization, MultiMap headers) {
        List<String> signed = authorization.signedHeaders();
        if (!signed.contains("host")) {
            throw invalid("The host header must be signed");
        }
        for (Map.Entry<String, String> header : headers) {
            String lowercase = header.getKey().toLowerCase(Locale.ROOT);
            if (lowercase.startsWith("x-amz-") && !signed.contains(lowercase)) {
                throw invalid("Every x-amz-* header must be signed, and " + lowercase + " is not");
            }
        }
    }

    private static String bodyHash(MultiMap headers, byte[] body) {
        String hash = HexFormat.of().formatHex(sha256(body));
        String told = headers.get(CONTENT_HASH);
        if (told != null && !told.equals(hash)) {
            throw invalid(CONTENT_HASH + " is not the hash of the body");
        }
        return hash;
    }

    private byte[] sign(
            SigV4Authorization authorization,
            Received request,
            String bodyHash,
            Instant time,
            Optional<AccessKey> key) {
        V4Properties properties = V4Properties.builder()
                .credentials(key.map(SigV4Verifier::identity).orElse(NOBODY))
                .credentialScope(new CredentialScope(region, service, time))
                .signingClock(clock)
                .doubleUrlEncode(true)
                .normalizePath(true)
                .build();
        V4RequestSigningResult signed =
                new DefaultV4RequestSigner(properties, bodyHash).sign(received(authorization.signedHeaders(), request));
        if (!signed.getCanonicalRequest()
                .getSignedHeadersString()
                .equals(String.join(";", authorization.signedHeaders()))) {
            throw invalid("SignedHeaders must be in lowercase, sorted, and without those that proxies change");
        }
        return signed.getSignature().getBytes(US_ASCII);
    }

    /** The request as its client signed it. The signer takes the host of the header, which may be none of a URI's. */
    private SdkHttpRequest.Builder received(List<String> signedHeaders, Received request) {
        if (!request.uri().startsWith("/")) {
            throw invalid("The request line must have the path as it was signed, without a scheme and a host");
        }
        try {
            SdkHttpRequest.Builder received = SdkHttpRequest.builder()
                    .method(SdkHttpMethod.fromValue(request.method()))
                    .uri(URI.create("http://localhost" + pathPrefix() + request.uri()));
            for (String name : signedHeaders) {
                List<String> values = name.equals("host")
                        ? List.of(host(request))
                        : request.headers().getAll(name);
                if (values.isEmpty()) {
                    throw invalid("SignedHeaders names " + name + ", which the request doesn't have");
                }
                received.putHeader(name, values);
            }
            return received;
        } catch (IllegalArgumentException e) {
            throw invalid("The path does not make a URL");
        }
    }

    private String host(Received request) {
        return externalUrl.map(SigV4Verifier::authority).orElseGet(() -> request.host());
    }

    /** As clients send it in the Host header: without the port that goes without saying. */
    private static String authority(URI url) {
        boolean usual = url.getPort() < 0 || url.getPort() == ("https".equals(url.getScheme()) ? 443 : 80);
        return usual ? url.getHost() : url.getHost() + ":" + url.getPort();
    }

    private String pathPrefix() {
        return externalUrl
                .map(URI::getRawPath)
                .map(path -> path.endsWith("/") ? path.substring(0, path.length() - 1) : path)
                .orElse("");
    }

    private static AwsCredentialsIdentity identity(AccessKey key) {
        return AwsCredentialsIdentity.create(key.id(), key.secret());
    }

    private static byte[] sha256(byte[] body) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(body);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
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
     * @param uri path and query, not decoded
     * @param host of the Host header, with its port
     * @param body empty when there is none
     */
    // Never compared, so the array's identity does no harm.
    @SuppressWarnings("ArrayRecordComponent")
    record Received(String method, String uri, String host, MultiMap headers, byte[] body) {}
}
