package dev.countersign.access;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.AwsCredentials;
import dev.countersign.support.Program;
import dev.countersign.support.RawHttp.Reply;
import dev.countersign.support.ServiceTest;
import dev.countersign.support.SignedRequest;
import io.quarkus.test.junit.QuarkusTest;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Signed requests over the wire: good ones are let in, and whatever is changed in one is noticed. */
@QuarkusTest
class SigV4Test extends ServiceTest {

    private static final String SESSION = "/prod/backend/demo/challenge/" + UUID.randomUUID();
    private static final String BODY = "{\"challengeCode\":\"x\"}";

    @Test
    void signedRequestIsLetIn() throws IOException {
        assertThat(SignedRequest.of("POST", "/prod/backend/demo/challenge", "")
                        .send()
                        .status())
                .isEqualTo(200);
        // A proxy may add headers.
        assertThat(redeem().with("x-amz-cf-id", _ -> "1").send().status()).isEqualTo(404);
        // No such session: it was looked for.
        assertThat(redeem().send().status()).isEqualTo(404);
        assertThat(SignedRequest.of("GET", SESSION, "").send().status()).isEqualTo(404);
        assertThat(SignedRequest.of("POST", SESSION + "/remove", "").send().status())
                .isEqualTo(404);
        assertThat(SignedRequest.of("GET", SESSION + "?b=2&a=1&a=%20", "")
                        .send()
                        .status())
                .isEqualTo(404);
    }

    static Stream<Arguments> tampered() {
        return Stream.of(
                tampered("another operation", request -> request.withPath(SESSION + "/remove"), "InvalidSignature"),
                tampered(
                        "app",
                        request -> request.withPath(request.path().replace("demo", "other")),
                        "InvalidSignature"),
                tampered("session", request -> request.withPath(otherSession()), "InvalidSignature"),
                tampered("query", request -> request.withPath(request.path() + "?a=1"), "InvalidSignature"),
                tampered("body", request -> request.withBody(BODY.replace("x", "y")), "InvalidSignature"),
                tampered("no body", request -> request.withBody("{}"), "InvalidSignature"),
                header("a signed header", "x-amz-user-agent", value -> value + "!", "InvalidSignature"),
                header("a signed header gone", "x-amz-user-agent", value -> null, "InvalidSignature"),
                header("session token", "x-amz-security-token", value -> "t", "UnrecognizedClient"),
                header("hash of the body", "x-amz-content-sha256", value -> "0".repeat(64), "InvalidSignature"),
                header("unsigned payload", "x-amz-content-sha256", value -> "UNSIGNED-PAYLOAD", "InvalidSignature"),
                header(
                        "time",
                        "x-amz-date",
                        value -> value.substring(0, 14) + flip(value.charAt(14)) + "Z",
                        "InvalidSignature"),
                header("time of another form", "x-amz-date", value -> "2026-11-23T12:00:00Z", "IncompleteSignature"),
                header("time of no day", "x-amz-date", value -> "20261340T250000Z", "IncompleteSignature"),
                header("no time", "x-amz-date", value -> null, "IncompleteSignature"),
                header(
                        "signature truncated",
                        "Authorization",
                        value -> value.substring(0, value.length() - 1),
                        "IncompleteSignature"),
                header("signature lengthened", "Authorization", value -> value + "0", "IncompleteSignature"),
                header("signature of other case", "Authorization", SigV4Test::upperSignature, "IncompleteSignature"),
                header("one digit of the signature", "Authorization", SigV4Test::flipLast, "InvalidSignature"),
                header("region", "Authorization", value -> value.replace("us-east-1", "eu-west-1"), "InvalidSignature"),
                header("service", "Authorization", value -> value.replace("amplifybackend", "s3"), "InvalidSignature"),
                header(
                        "terminator",
                        "Authorization",
                        value -> value.replace("aws4_request", "aws5_request"),
                        "InvalidSignature"),
                header("date of the scope", "Authorization", SigV4Test::yesterday, "InvalidSignature"),
                header("algorithm", "Authorization", value -> value.replace("SHA256", "SHA512"), "IncompleteSignature"),
                header("host not signed", "Authorization", value -> value.replace("host;", ""), "InvalidSignature"),
                header("headers in other order", "Authorization", SigV4Test::reversedHeaders, "InvalidSignature"),
                header(
                        "a header more",
                        "Authorization",
                        value -> value.replace("host;", "host;x-none;"),
                        "InvalidSignature"),
                header("unknown key", "Authorization", value -> value.replace("TEST1", "TEST2"), "UnrecognizedClient"),
                header("another scheme", "Authorization", value -> "Basic dGVzdGVyOnRlc3Rlcg==", "IncompleteSignature"),
                header("nothing but the scheme", "Authorization", value -> "AWS4-HMAC-SHA256", "IncompleteSignature"),
                header("an empty header", "Authorization", value -> "", "IncompleteSignature"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("tampered")
    void tamperedRequestIsRefused(String what, UnaryOperator<SignedRequest> tamper, String type) throws IOException {
        Reply reply = tamper.apply(redeem()).send();
        assertThat(reply.status()).as(reply.toString()).isEqualTo(403);
        assertThat(reply.header("x-amzn-ErrorType")).isEqualTo(type + "Exception");
        assertThat(reply.header("Cache-Control")).isEqualTo("no-store");
        assertThat(reply.body()).contains("\"message\":").doesNotContain(AwsCredentials.SECRET_ACCESS_KEY);
    }

    @Test
    void methodIsPartOfWhatIsSigned() throws IOException {
        SignedRequest get = SignedRequest.of("GET", SESSION, "");
        assertThat(get.send().status()).isEqualTo(404);
        assertThat(get.withMethod("HEAD").send().status()).isEqualTo(403);
    }

    /** The signature is that of a create, and the path that of a removal to who resolves it in another order. */
    @Test
    void dotSegmentsMakeNoOtherOperationOfWhatIsSigned() throws IOException {
        Reply reply = SignedRequest.of("POST", "/prod/backend/demo/challenge", "")
                .withPath(SESSION + "/remove//..//..")
                .send();
        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.body()).contains("No path of this API has a segment . or ..");
    }

    @Test
    void secondHostIsRefused() throws IOException {
        assertThat(redeem().with("Host", value -> "elsewhere").send().status()).isEqualTo(400);
    }

    @Test
    void wrongSecretIsRefused() throws IOException {
        Reply reply = SignedRequest.of(
                        "POST", SESSION + "/redeem", BODY, AwsCredentials.ACCESS_KEY_ID, "x".repeat(40), Duration.ZERO)
                .send();
        assertThat(reply.status()).isEqualTo(403);
        assertThat(reply.header("x-amzn-ErrorType")).isEqualTo("InvalidSignatureException");
    }

    @Test
    void replayAfterTheSkewIsRefused() throws IOException {
        for (Duration offset : List.of(Duration.ofMinutes(-6), Duration.ofMinutes(6))) {
            Reply reply = SignedRequest.of(
                            "GET", SESSION, "", AwsCredentials.ACCESS_KEY_ID, AwsCredentials.SECRET_ACCESS_KEY, offset)
                    .send();
            assertThat(reply.status()).isEqualTo(403);
            assertThat(reply.header("x-amzn-ErrorType")).isEqualTo("InvalidSignatureException");
            assertThat(reply.body()).contains("Signature expired");
        }
    }

    @Test
    void curlSignsWhatIsLetIn() throws Exception {
        String url = AwsCredentials.endpoint() + "/backend/demo/challenge";
        Program curl = Program.orSkip("curl", "--version");
        assertThat(curl.run(
                                Map.of(),
                                "--silent",
                                "--request",
                                "POST",
                                "--aws-sigv4",
                                "aws:amz:" + AwsCredentials.REGION + ":amplifybackend",
                                "--user",
                                AwsCredentials.ACCESS_KEY_ID + ":" + AwsCredentials.SECRET_ACCESS_KEY,
                                url)
                        .output())
                .contains("challengeCode");
    }

    private static SignedRequest redeem() {
        return SignedRequest.of("POST", SESSION + "/redeem", BODY).with("Content-Type", value -> "application/json");
    }

    private static Arguments tampered(String what, UnaryOperator<SignedRequest> tamper, String type) {
        return Arguments.of(what, tamper, type);
    }

    private static Arguments header(String what, String name, UnaryOperator<String> change, String type) {
        return tampered(what, request -> request.with(name, change), type);
    }

    private static String otherSession() {
        return "/prod/backend/demo/challenge/" + UUID.randomUUID() + "/redeem";
    }

    private static char flip(char digit) {
        return digit == '0' ? '1' : '0';
    }

    private static String flipLast(String header) {
        return header.substring(0, header.length() - 1) + flip(header.charAt(header.length() - 1));
    }

    private static String upperSignature(String header) {
        int signature = header.indexOf("Signature=") + "Signature=".length();
        return header.substring(0, signature) + "ABCDEF"
                + header.substring(signature + 6).toLowerCase(Locale.ROOT);
    }

    private static String yesterday(String header) {
        return header.replaceAll("/20\\d{6}/", "/20010101/");
    }

    private static String reversedHeaders(String header) {
        return header.replace("host;x-amz-content-sha256", "x-amz-content-sha256;host");
    }
}
