package dev.countersign.http;

import static dev.countersign.support.Contract.call;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.KeptConnection;
import dev.countersign.support.RawHttp;
import dev.countersign.support.ServiceTest;
import io.restassured.RestAssured;
import io.restassured.response.Response;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** What pages of other origins get, whether any is allowed or none. */
abstract class ForeignOrigins extends ServiceTest {

    static final String PATH = "/prod/backend/demo/challenge";

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
}
