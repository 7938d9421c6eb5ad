package dev.countersign.access;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.countersign.access.Principals.AccessKey;
import dev.countersign.access.SigV4CanonicalRequest.Received;
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
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
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
            get-slash-dot-slash | GET | /./ | 5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31
            get-slash-pointless-dot | GET | /./example | ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5
            get-slashes | GET | //example// | 9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84
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
        assertThatThrownBy(() -> verifier(TIME)
                        .verify(
                                authorization("AKIDEXAMPLF", "20150830", "host;x-amz-date", VANILLA),
                                received("GET", "/", headers(), "")))
                .satisfies(refusedAs("UnrecognizedClientException"));
    }

    @ParameterizedTest
    @CsvSource({"-301", "301"})
    void timeFarFromOursIsRefused(long seconds) {
        assertThatThrownBy(() -> verifier(TIME.plusSeconds(seconds))
                        .verify(
                                authorization("AKIDEXAMPLE", "20150830", "host;x-amz-date", VANILLA),
                                received("GET", "/", headers(), "")))
                .satisfies(refusedAs("InvalidSignatureException"))
                .hasMessageContaining("301 seconds from this server's time, 300 are allowed");
    }

    @ParameterizedTest
    @CsvSource({"-300", "300"})
    void timeWithinTheSkewIsTaken(long seconds) {
        assertThat(verifier(TIME.plusSeconds(seconds))
                        .verify(
                                authorization("AKIDEXAMPLE", "20150830", "host;x-amz-date", VANILLA),
                                received("GET", "/", headers(), "")))
                .isEqualTo(KEY.principal());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "20150829/us-east-1/service/aws4_request",
                "20150830/eu-west-1/service/aws4_request",
                "20150830/us-east-1/another/aws4_request",
                "20150830/us-east-1/service/aws5_request"
            })
    void anotherScopeIsRefused(String scope) {
        assertThatThrownBy(() -> verifyScope(scope))
                .satisfies(refusedAs("InvalidSignatureException"))
                .hasMessage("The credential scope must be 20150830/us-east-1/service/aws4_request");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "20150830/us-east-1/aws4_request",
                "20150830/us-east-1/service/aws4_request/",
                "20150830//us-east-1/service/aws4_request",
                "20150830/us-east-1/service/aws4_request/more"
            })
    void scopeHasFourParts(String scope) {
        assertThatThrownBy(() -> verifyScope(scope)).satisfies(refusedAs("IncompleteSignatureException"));
    }

    private static void verifyScope(String scope) {
        String header = authorization("AKIDEXAMPLE", "20150830", "host;x-amz-date", VANILLA);
        verifier(TIME)
                .verify(
                        header.replace("20150830/us-east-1/service/aws4_request", scope),
                        received("GET", "/", headers(), ""));
    }

    @Test
    void hostMustBeSigned() {
        assertThatThrownBy(() -> verify("x-amz-date", VANILLA, received("GET", "/", headers(), "")))
                .satisfies(refusedAs("InvalidSignatureException"))
                .hasMessage("The host header must be signed");
    }

    @Test
    void externalUrlIsWhatClientsSignBehindAProxy() {
        Received rewritten = new Received("GET", "/", headers().set("Host", "10.0.0.7:8080"), new byte[0]);
        String header = authorization("AKIDEXAMPLE", "20150830", "host;x-amz-date", VANILLA);
        assertThatThrownBy(() -> verifier(TIME).verify(header, rewritten))
                .satisfies(refusedAs("InvalidSignatureException"))
                .hasMessageContaining("host 10.0.0.7:8080");
        assertThat(verifier(TIME, URI.create("https://example.amazonaws.com:443/"))
                        .verify(header, rewritten))
                .isEqualTo(KEY.principal());
    }

    @Test
    void externalUrlMayHaveAPath() {
        Received rewritten = signed("https", "h.example", 8443, "/auth/prod/apps", "10.0.0.7:8080", "/prod/apps");
        for (String url : List.of("https://h.example:8443/auth", "https://h.example:8443/auth/")) {
            assertThat(verifier(TIME, URI.create(url))
                            .verify(rewritten.headers().get("Authorization"), rewritten))
                    .isEqualTo(KEY.principal());
        }
        assertThatThrownBy(() -> verifier(TIME, URI.create("https://h.example:8443"))
                        .verify(rewritten.headers().get("Authorization"), rewritten))
                .satisfies(refusedAs("InvalidSignatureException"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"auth.example.com", "auth.example.com:8080", "//auth.example.com", "/auth", "https:///auth"})
    void externalUrlWithoutASchemeAndAHostIsRefused(String url) {
        assertThatThrownBy(() -> verifier(TIME, URI.create(url)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("countersign.sigv4.external-url is " + url);
    }

    /** As Compose names its containers, or as an address. */
    @ParameterizedTest
    @ValueSource(strings = {"a_b", "[::1]"})
    void hostThatIsNoHostNameIsTaken(String host) {
        Received request = signed("http", host, 8080, "/prod/apps", host + ":8080", "/prod/apps");
        String header = request.headers().get("Authorization");
        assertThat(verifier(TIME).verify(header, request)).isEqualTo(KEY.principal());
        Received other = new Received("GET", request.uri(), request.headers().set("Host", "a_c:8080"), new byte[0]);
        assertThatThrownBy(() -> verifier(TIME).verify(header, other))
                .satisfies(refusedAs("InvalidSignatureException"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ftp://x/prod/apps", "http://a@x/prod/apps", "@x/prod/apps", "*", "prod/apps", ""})
    void requestLineWithoutAPathIsRefused(String uri) {
        assertThatThrownBy(() -> verify("host;x-amz-date", VANILLA, received("GET", uri, headers(), "")))
                .satisfies(refusedAs("InvalidSignatureException"))
                .hasMessageContaining("request line");
    }

    @Test
    void targetMayHaveSchemeAndHost() {
        Received request = signed("http", "h.example", 80, "/prod/apps", "h.example", "http://h.example/prod/apps");
        assertThat(verifier(TIME).verify(request.headers().get("Authorization"), request))
                .isEqualTo(KEY.principal());
    }

    @Test
    void targetMayBeSchemeAndHostAlone() {
        assertThat(verify("host;x-amz-date", VANILLA, received("GET", "http://example.amazonaws.com", headers(), "")))
                .isEqualTo(KEY.principal());
    }

    /** Whatever a server makes of it, nobody may add it on the way. */
    @ParameterizedTest
    @ValueSource(strings = {"/#x", "/?#x", "/#", "http://example.amazonaws.com/#x"})
    void whatFollowsAHashIsSigned(String uri) {
        assertThatThrownBy(() -> verify("host;x-amz-date", VANILLA, received("GET", uri, headers(), "")))
                .satisfies(refusedAs("InvalidSignatureException"));
    }

    /** With an external URL, callers inside the cluster go on signing the host that they call. */
    @Test
    void hostAsSentAndEachExternalUrlAreTaken() {
        SigV4Verifier verifier =
                verifier(TIME, URI.create("https://one.example"), URI.create("https://two.example/auth"));
        for (Received request : List.of(
                signed("http", "inside", 8080, "/prod/apps", "inside:8080", "/prod/apps"),
                signed("https", "one.example", 443, "/prod/apps", "10.0.0.7:8080", "/prod/apps"),
                signed("https", "two.example", 443, "/auth/prod/apps", "10.0.0.7:8080", "/prod/apps"))) {
            assertThat(verifier.verify(request.headers().get("Authorization"), request))
                    .isEqualTo(KEY.principal());
        }
        Received other = signed("https", "two.example", 443, "/prod/apps", "10.0.0.7:8080", "/prod/apps");
        assertThatThrownBy(() -> verifier.verify(other.headers().get("Authorization"), other))
                .satisfies(refusedAs("InvalidSignatureException"))
                .hasMessageContaining("10.0.0.7:8080 or one.example or two.example");
    }

    /** AWS's own signer for Java never signs these; its SDK for .NET and Ruby's signer do. */
    @ParameterizedTest
    @ValueSource(strings = {"user-agent", "connection", "expect", "x-forwarded-for", "x-amzn-trace-id"})
    void headerThatAnotherSignerLeavesOutMayBeSigned(String name) {
        MultiMap headers = headers().add(name, "some  value ");
        List<String> names = Stream.of("host", name, "x-amz-date").sorted().toList();
        String canonical = "GET\n/prod/apps\n\n"
                + names.stream()
                        .map(signed ->
                                signed + ":" + headers.get(signed).strip().replaceAll(" +", " ") + "\n")
                        .collect(Collectors.joining())
                + "\n" + String.join(";", names) + "\n" + SigV4SigningKey.sha256(new byte[0]);
        String signature = new SigV4SigningKey(KEY.secret(), "20150830/us-east-1/service/aws4_request")
                .sign(canonical, "20150830T123600Z");
        assertThat(verify(String.join(";", names), signature, received("GET", "/prod/apps", headers, "")))
                .isEqualTo(KEY.principal());
        assertThatThrownBy(() -> verify(
                        String.join(";", names),
                        signature,
                        received("GET", "/prod/apps", headers().add(name, "another"), "")))
                .satisfies(refusedAs("InvalidSignatureException"));
    }

    /** CloudFront adds X-Amz-Cf-Id on the way. */
    @Test
    void unsignedHeaderOfAProxyIsNoReasonToRefuse() {
        assertThat(verify(
                        "host;x-amz-date",
                        VANILLA,
                        received("GET", "/", headers().add("X-Amz-Cf-Id", "x"), "")))
                .isEqualTo(KEY.principal());
    }

    @Test
    void contentHashMustBeSignedAndThereOnce() {
        String hash = SigV4SigningKey.sha256(new byte[0]);
        assertThatThrownBy(() -> verify(
                        "host;x-amz-date",
                        VANILLA,
                        received("GET", "/", headers().add("X-Amz-Content-Sha256", hash), "")))
                .hasMessage("x-amz-content-sha256 must be signed");
        assertThatThrownBy(() -> verify(
                        "host;x-amz-content-sha256;x-amz-date",
                        VANILLA,
                        received(
                                "GET",
                                "/",
                                headers().add("X-Amz-Content-Sha256", hash).add("X-Amz-Content-Sha256", hash),
                                "")))
                .hasMessage("Send only one x-amz-content-sha256 header");
    }

    @Test
    void listOfSignedHeadersIsCheckedFirst() {
        String long65 = IntStream.range(0, 65).mapToObj("a%02d"::formatted).collect(Collectors.joining(";"));
        for (String list : List.of(
                "x-amz-date;host",
                "host;host;x-amz-date",
                "Host;x-amz-date",
                "host;;x-amz-date",
                long65 + ";host;x-amz-date")) {
            assertThatThrownBy(() -> verify(list, VANILLA, received("GET", "/", headers(), "")))
                    .as(list)
                    .satisfies(refusedAs("InvalidSignatureException"))
                    .hasMessageStartingWith("SignedHeaders must list at most 64 names");
        }
        MultiMap lines = headers();
        IntStream.range(0, 300).forEach(i -> lines.add("a", "b"));
        assertThatThrownBy(() -> verify("a;host;x-amz-date", VANILLA, received("GET", "/", lines, "")))
                .hasMessageContaining("256 header lines");
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
        return new Received("GET", receivedUri, headers.set("Host", receivedHost), new byte[0]);
    }

    private static java.util.function.Consumer<Throwable> refusedAs(String type) {
        return thrown -> assertThat(((ForbiddenException) thrown).type()).isEqualTo(type);
    }

    private static Principal verify(String signedHeaders, String signature, Received request) {
        return verifier(TIME).verify(authorization("AKIDEXAMPLE", "20150830", signedHeaders, signature), request);
    }

    private static SigV4Verifier verifier(Instant now, URI... externalUrls) {
        return new SigV4Verifier(
                id -> Optional.of(KEY).filter(key -> key.id().equals(id)),
                "us-east-1",
                "service",
                Duration.ofMinutes(5),
                List.of(externalUrls),
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
        return new Received(method, uri, headers, body.getBytes(UTF_8));
    }
}
