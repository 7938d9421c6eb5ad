package dev.countersign.http;

import static dev.countersign.support.Contract.call;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.emptyString;
import static org.hamcrest.Matchers.equalTo;

import dev.countersign.support.RawHttp;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.RestAssured;
import io.restassured.response.Response;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What a browser is told about calls from an origin that may call. */
@QuarkusTest
class CorsTest extends ForeignOrigins {

    private static final String ALLOWED = "https://console.example.com";

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
    void methodThatNoPathHasIsRefusedInTheContractsShape() throws IOException {
        String origin = "Origin: " + ALLOWED;
        RawHttp.assertError(RawHttp.send("PATCH", PATH, origin), 405, "MethodNotAllowedException");
        RawHttp.assertError(RawHttp.send("PATCH", "/nope", origin), 404, "NotFoundException");
        assertThat(RawHttp.send("HEAD", "/prod/apps", origin).status()).isEqualTo(200);
    }

    private static List<String> list(Response reply, String header) {
        return Arrays.stream(String.valueOf(reply.header(header)).split(","))
                .map(value -> value.strip().toLowerCase(Locale.ROOT))
                .toList();
    }
}
