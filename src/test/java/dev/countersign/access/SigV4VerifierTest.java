package dev.countersign.access;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.countersign.access.Principals.AccessKey;
import dev.countersign.access.SigV4Verifier.Received;
import dev.countersign.error.ForbiddenException;
import io.vertx.core.MultiMap;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.identity.spi.AwsCredentialsIdentity;

/** The verifier against the signing examples that AWS publishes (its Signature Version 4 test suite), by their clock. */
class SigV4VerifierTest {

    private static final Instant TIME = Instant.parse("2015-08-30T12:36:00Z");
    private static final String VANILLA = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    private static final AccessKey KEY = new AccessKey(
            "AKIDEXAMPLE",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            new Principal("example", List.of("*"), Set.of(Permission.ISSUE)));

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
            get-vanilla | GET | / | 5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31
            post-vanilla | POST | / | 5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b
            get-vanilla-query-order-key-case | GET | /?Param2=value2&Param1=value1 | b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500
            get-vanilla-empty-query-key | GET | /?Param1=value1 | a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb
            get-unreserved | GET | /-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz | 07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f
            get-relative | GET | /example/.. | 5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31
            get-slash | GET | // | 5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31
            """)
    void publishedExampleVerifies(String name, String method, String uri, String signature) {
        assertThat(verify("host;x-amz-date", signature, received(method, uri, headers(), "")))
                .isEqualTo(KEY.principal());
    }

    @Test
    void publishedExampleWithAHeaderVerifies() {
        assertThat(verify(
                        "host;my-header1;x-amz-date",
                        "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
                        received("POST", "/", headers().add("My-Header1", "VALUE1"), "")))
                .isEqualTo(KEY.principal());
    }

    @Test
    void publishedExampleWithABodyVerifies() {
        assertThat(verify(
                        "content-type;host;x-amz-date",
                        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
                        received(
                                "POST",
                                "/",
                                headers().add("Content-Type", "application/x-www-form-urlencoded"),
                                "Param1=value1")))
                .isEqualTo(KEY.principal());
    }

    @Test
    void unknownKeyIsRefused() {
        assertThatThrownBy(() -> verifier(TIME, Optional.empty())
                        .verify(
                                authorization("AKIDEXAMPLF", "20150830", "host;x-amz-date", VANILLA),
                                received("GET", "/", headers(), "")))
                .satisfies(refusedAs("UnrecognizedClientException"));
    }

    @ParameterizedTest
    @CsvSource({"-301", "301"})
    void timeFarFromOursIsRefused(long seconds) {
        assertThatThrownBy(() -> verifier(TIME.plusSeconds(seconds), Optional.empty())
                        .verify(
                                authorization("AKIDEXAMPLE", "20150830", "host;x-amz-date", VANILLA),
                                received("GET", "/", headers(), "")))
                .satisfies(refusedAs("InvalidSignatureException"))
                .hasMessageContaining("301 seconds from this server's time, 300 are allowed");
    }

    @ParameterizedTest
    @CsvSource({"-300", "300"})
    void timeWithinTheSkewIsTaken(long seconds) {
        assertThat(verifier(TIME.plusSeconds(seconds), Optional.empty())
                        .verify(
                                authorization("AKIDEXAMPLE", "20150830", "host;x-amz-date", VANILLA),
                                received("GET", "/", headers(), "")))
                .isEqualTo(KEY.principal());
    }

    @Test
    void dateOfTheScopeMustBeThatOfTheRequest() {
        assertThatThrownBy(() -> verifier(TIME, Optional.empty())
                        .verify(
                                authorization("AKIDEXAMPLE", "20150829", "host;x-amz-date", VANILLA),
                                received("GET", "/", headers(), "")))
                .satisfies(refusedAs("InvalidSignatureException"))
                .hasMessageContaining("scope's date");
    }

    @Test
    void hostMustBeSigned() {
        assertThatThrownBy(() -> verify("x-amz-date", VANILLA, received("GET", "/", headers(), "")))
                .satisfies(refusedAs("InvalidSignatureException"))
                .hasMessage("The host header must be signed");
    }

    @Test
    void externalUrlIsWhatClientsSignBehindAProxy() {
        Received rewritten = new Received("GET", "/", "10.0.0.7:8080", headers(), new byte[0]);
        String header = authorization("AKIDEXAMPLE", "20150830", "host;x-amz-date", VANILLA);
        assertThatThrownBy(() -> verifier(TIME, Optional.empty()).verify(header, rewritten))
                .satisfies(refusedAs("InvalidSignatureException"))
                .hasMessageContaining("host 10.0.0.7:8080");
        assertThat(verifier(TIME, Optional.of(URI.create("https://example.amazonaws.com:443/")))
                        .verify(header, rewritten))
                .isEqualTo(KEY.principal());
    }

    @Test
    void externalUrlMayHaveAPath() {
        Received rewritten = signed("https", "h.example", 8443, "/auth/prod/apps", "10.0.0.7:8080", "/prod/apps");
        for (String url : List.of("https://h.example:8443/auth", "https://h.example:8443/auth/")) {
            assertThat(verifier(TIME, Optional.of(URI.create(url)))
                            .verify(rewritten.headers().get("Authorization"), rewritten))
                    .isEqualTo(KEY.principal());
        }
        assertThatThrownBy(() -> verifier(TIME, Optional.of(URI.create("https://h.example:8443")))
                        .verify(rewritten.headers().get("Authorization"), rewritten))
                .satisfies(refusedAs("InvalidSignatureException"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"auth.example.com", "auth.example.com:8080", "//auth.example.com", "/auth", "https:///auth"})
    void externalUrlWithoutASchemeAndAHostIsRefused(String url) {
        assertThatThrownBy(() -> verifier(TIME, Optional.of(URI.create(url))))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("countersign.sigv4.external-url is " + url);
    }

    /** As Compose names its containers, or as an address. */
    @ParameterizedTest
    @ValueSource(strings = {"a_b", "[::1]"})
    void hostThatIsNoHostNameIsTaken(String host) {
        Received request = signed("http", host, 8080, "/prod/apps", host + ":8080", "/prod/apps");
        String header = request.headers().get("Authorization");
        assertThat(verifier(TIME, Optional.empty()).verify(header, request)).isEqualTo(KEY.principal());
        Received other = new Received("GET", request.uri(), "a_c:8080", request.headers(), new byte[0]);
        assertThatThrownBy(() -> verifier(TIME, Optional.empty()).verify(header, other))
                .satisfies(refusedAs("InvalidSignatureException"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://x/prod/apps", "@x/prod/apps", "*", "prod/apps", ""})
    void requestLineWithoutAPathIsRefused(String uri) {
        assertThatThrownBy(() -> verify("host;x-amz-date", VANILLA, received("GET", uri, headers(), "")))
                .satisfies(refusedAs("InvalidSignatureException"))
                .hasMessageContaining("request line");
    }

    /** Signed for one host and path, and received at another. */
    private static Received signed(
            String scheme, String host, int port, String path, String receivedHost, String receivedUri) {
        SdkHttpRequest request = SdkHttpRequest.builder()
                .method(SdkHttpMethod.GET)
                .protocol(scheme)
                .host(host)
                .port(port)
                .encodedPath(path)
                .build();
        SdkHttpRequest signed = AwsV4HttpSigner.create()
                .sign(sign -> sign.request(request)
                        .identity(AwsCredentialsIdentity.create(KEY.id(), KEY.secret()))
                        .putProperty(AwsV4HttpSigner.SERVICE_SIGNING_NAME, "service")
                        .putProperty(AwsV4HttpSigner.REGION_NAME, "us-east-1")
                        .putProperty(AwsV4HttpSigner.SIGNING_CLOCK, Clock.fixed(TIME, ZoneOffset.UTC)))
                .request();
        MultiMap headers = MultiMap.caseInsensitiveMultiMap();
        signed.forEachHeader(headers::add);
        return new Received("GET", receivedUri, receivedHost, headers, new byte[0]);
    }

    private static java.util.function.Consumer<Throwable> refusedAs(String type) {
        return thrown -> assertThat(((ForbiddenException) thrown).type()).isEqualTo(type);
    }

    private static Principal verify(String signedHeaders, String signature, Received request) {
        return verifier(TIME, Optional.empty())
                .verify(authorization("AKIDEXAMPLE", "20150830", signedHeaders, signature), request);
    }

    private static SigV4Verifier verifier(Instant now, Optional<URI> externalUrl) {
        return new SigV4Verifier(
                id -> Optional.of(KEY).filter(key -> key.id().equals(id)),
                "us-east-1",
                "service",
                Duration.ofMinutes(5),
                externalUrl,
                Clock.fixed(now, ZoneOffset.UTC));
    }

    private static String authorization(String key, String date, String signedHeaders, String signature) {
        return "AWS4-HMAC-SHA256 Credential=" + key + "/" + date + "/us-east-1/service/aws4_request, SignedHeaders="
                + signedHeaders + ", Signature=" + signature;
    }

    private static MultiMap headers() {
        return MultiMap.caseInsensitiveMultiMap()
                .add("Host", "example.amazonaws.com")
                .add("X-Amz-Date", "20150830T123600Z");
    }

    private static Received received(String method, String uri, MultiMap headers, String body) {
        return new Received(method, uri, "example.amazonaws.com", headers, body.getBytes(UTF_8));
    }
}
