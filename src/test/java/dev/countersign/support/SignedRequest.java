package dev.countersign.support;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.identity.spi.AwsCredentialsIdentity;

/** A request that AWS's signer has signed, to be sent as it is or tampered with. */
public record SignedRequest(String method, String path, Map<String, String> headers, String body) {

    /** Signed by {@link AwsCredentials}, now. */
    public static SignedRequest of(String method, String path, String body) {
        return of(method, path, body, AwsCredentials.ACCESS_KEY_ID, AwsCredentials.SECRET_ACCESS_KEY, Duration.ZERO);
    }

    /** Signed by any key, at a time so far from now. */
    public static SignedRequest of(
            String method, String path, String body, String accessKeyId, String secret, Duration offset) {
        return to("localhost", method, path, body, accessKeyId, secret, offset);
    }

    /** Signed by {@link AwsCredentials} for a host and port. */
    public static SignedRequest to(String authority, String method, String path, String body) {
        return to(authority, method, path, body, Duration.ZERO);
    }

    /** The same, at a time so far from now. */
    public static SignedRequest to(String authority, String method, String path, String body, Duration offset) {
        return to(
                authority, method, path, body, AwsCredentials.ACCESS_KEY_ID, AwsCredentials.SECRET_ACCESS_KEY, offset);
    }

    /** Signed by any key for a host and port, at a time so far from now. */
    public static SignedRequest to(
            String authority,
            String method,
            String path,
            String body,
            String accessKeyId,
            String secret,
            Duration offset) {
        SdkHttpRequest request = SdkHttpRequest.builder()
                .method(SdkHttpMethod.fromValue(method))
                .uri(URI.create("http://" + authority + path))
                .putHeader("x-amz-user-agent", "test")
                .build();
        SdkHttpRequest signed = AwsV4HttpSigner.create()
                .sign(sign -> sign.request(request)
                        .payload(() -> new ByteArrayInputStream(body.getBytes(UTF_8)))
                        .identity(AwsCredentialsIdentity.create(accessKeyId, secret))
                        .putProperty(AwsV4HttpSigner.SERVICE_SIGNING_NAME, "amplifybackend")
                        .putProperty(AwsV4HttpSigner.REGION_NAME, AwsCredentials.REGION)
                        .putProperty(AwsV4HttpSigner.SIGNING_CLOCK, Clock.offset(Clock.systemUTC(), offset)))
                .request();
        Map<String, String> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        signed.forEachHeader((name, values) -> headers.put(name, String.join(",", values)));
        headers.remove("Host");
        return new SignedRequest(method, path, headers, body);
    }

    /** Header lines of a signature over 1,500 headers, which once cost half a second of an event loop. */
    public static String manyNamesAndLines() {
        StringBuilder names = new StringBuilder();
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < 1500; i++) {
            names.append("a").append(i).append(';');
            lines.append("\r\na:");
        }
        return "Authorization: AWS4-HMAC-SHA256 Credential=AKIACOUNTERSIGNTEST1/20261128/us-east-1/"
                + "amplifybackend/aws4_request, SignedHeaders=" + names + "host, Signature=" + "0".repeat(64) + lines;
    }

    public SignedRequest withMethod(String other) {
        return new SignedRequest(other, path, headers, body);
    }

    public SignedRequest withPath(String other) {
        return new SignedRequest(method, other, headers, body);
    }

    public SignedRequest withBody(String other) {
        return new SignedRequest(method, path, headers, other);
    }

    /** With a header changed; null removes it. */
    public SignedRequest with(String name, UnaryOperator<String> change) {
        Map<String, String> changed = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        changed.putAll(headers);
        String value = change.apply(changed.getOrDefault(name, ""));
        if (value == null) {
            changed.remove(name);
        } else {
            changed.put(name, value);
        }
        return new SignedRequest(method, path, changed, body);
    }

    public RawHttp.Reply send() throws IOException {
        String[] lines = headers.entrySet().stream()
                .map(header -> header.getKey() + ": " + header.getValue())
                .toArray(String[]::new);
        return body.isEmpty() ? RawHttp.send(method, path, lines) : RawHttp.sendBody(method, path, body, false, lines);
    }
}
