package dev.countersign.http;

import static dev.countersign.support.Contract.call;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.emptyString;
import static org.hamcrest.Matchers.equalTo;

import dev.countersign.support.KeptConnection;
import dev.countersign.support.RawHttp;
import dev.countersign.support.ServiceTest;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.RestAssured;
import io.restassured.response.Response;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What a browser is told about calls from other origins. */
@QuarkusTest
class CorsTest extends ServiceTest {

    private static final String ALLOWED = "https://console.example.com";
    private static final String PATH = "/prod/backend/demo/challenge";

    /** What the AWS clients for browsers send, and what a redeem may have. */
    private static final List<String> HEADERS = List.of(
            "authorization",
            "content-type",
            "idempotency-key",
            "x-amz-date",
            "x-amz-content-sha256",
            "x-amz-user-agent",
            "x-amz-security-token",
            "amz-sdk-invocation-id",
            "amz-sdk-request");

    @Test
    void preflightFromAnAllowedOriginGetsWhatAnAwsClientNeeds() {
        for (String path : List.of(PATH, PATH + "/" + UUID.randomUUID(), PATH + "/" + UUID.randomUUID() + "/redeem")) {
            Response reply = call().header("Origin", ALLOWED)
                    .header("Access-Control-Request-Method", "POST")
                    .header("Access-Control-Request-Headers", String.join(",", HEADERS))
                    .options(path)
                    .then()
                    .statusCode(200)
                    .body(emptyString())
                    .header("Access-Control-Allow-Origin", equalTo(ALLOWED))
                    .extract()
                    .response();
            assertThat(list(reply, "Access-Control-Allow-Headers")).containsAll(HEADERS);
            assertThat(list(reply, "Access-Control-Allow-Methods")).contains("post");
            assertThat(reply.header("Access-Control-Allow-Credentials")).isNotEqualTo("true");
        }
    }

    @Test
    void repliesAndErrorsLetABrowserReadThem() {
        for (Response reply : List.of(
                call().header("Origin", ALLOWED).post(PATH),
                call().header("Origin", ALLOWED).post("/prod/backend/nosuchapp/challenge"),
                RestAssured.given().header("Origin", ALLOWED).post("/prod/backend/NOT-ONE/challenge"),
                RestAssured.given().header("Origin", ALLOWED).put(PATH),
                RestAssured.given().header("Origin", ALLOWED).get("/nope"))) {
            assertThat(reply.header("Access-Control-Allow-Origin")).isEqualTo(ALLOWED);
            assertThat(list(reply, "Access-Control-Expose-Headers"))
                    .contains("x-amzn-requestid", "x-amzn-errortype", "retry-after");
        }
    }

    @Test
    void disallowedOriginGetsNoCorsHeader() {
        for (Response reply : List.of(
                call().header("Origin", "https://evil.example")
                        .header("Access-Control-Request-Method", "POST")
                        .options(PATH),
                call().header("Origin", "https://evil.example").post(PATH),
                call().header("Origin", "null").post(PATH))) {
            assertThat(reply.statusCode()).isEqualTo(403);
            assertThat(reply.header("x-amzn-ErrorType")).isEqualTo("AccessDeniedException");
            assertThat(reply.headers().asList())
                    .noneMatch(
                            header -> header.getName().toLowerCase(Locale.ROOT).startsWith("access-control-"));
        }
    }

    @Test
    void sameOriginAsSwaggerUiIsServed() {
        for (String scheme : List.of("http", "https")) {
            call().header("Origin", scheme + "://localhost:" + RestAssured.port)
                    .post(PATH)
                    .then()
                    .statusCode(200)
                    .header("Vary", "Origin");
        }
    }

    /** A service that is not told its own name has no origin, one with the name "null" neither. */
    @Test
    void originIsNotTheSameAsThatOfAnUnknownHost() throws IOException {
        try (KeptConnection connection = new KeptConnection(RestAssured.port)) {
            String request = "POST " + PATH + " HTTP/1.0\r\nOrigin: http://null\r\nContent-Length: 0\r\n\r\n";
            RawHttp.Reply reply = connection.exchange(request.getBytes(US_ASCII), false);
            assertThat(reply.status()).isEqualTo(403);
            assertThat(reply.body()).isEqualTo("{\"message\":\"The origin may not call this service\"}");
        }
        try (KeptConnection connection = new KeptConnection(RestAssured.port)) {
            String request = "OPTIONS " + PATH + " HTTP/1.1\r\nOrigin: ://\r\nHost: \r\n\r\n";
            assertThat(connection.exchange(request.getBytes(US_ASCII), false).status())
                    .isEqualTo(403);
        }
    }

    private static List<String> list(Response reply, String header) {
        return Arrays.stream(String.valueOf(reply.header(header)).split(","))
                .map(value -> value.strip().toLowerCase(Locale.ROOT))
                .toList();
    }
}
