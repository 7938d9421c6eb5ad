package dev.countersign.http;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.KeptConnection;
import dev.countersign.support.PostgresServer;
import dev.countersign.support.RawHttp;
import dev.countersign.support.ServiceProcess;
import dev.countersign.support.SignedRequest;
import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The front of the package with the settings that it needs and no other, in production mode. */
class DefaultSettingsIT {

    private static final String CREATE = "/prod/backend/demo/challenge";

    private static PostgresServer database;
    private static ServiceProcess service;

    @BeforeAll
    static void start() {
        database = PostgresServer.start();
        service = ServiceProcess.start(database, ServiceProcess.DEFAULT_TIMEOUTS);
        database.execute("INSERT INTO app (app_id) VALUES ('demo')");
    }

    @AfterAll
    static void stop() {
        service.close();
        database.close();
    }

    @Test
    void foreignOriginIsRefusedInTheContractsShapeAndWithoutCorsHeaders() throws IOException {
        RawHttp.Reply reply = send("POST " + CREATE, "Origin: https://evil.example");
        assertThat(reply.status()).isEqualTo(403);
        assertThat(reply.body()).isEqualTo("{\"message\":\"The origin may not call this service\"}");
        assertThat(reply.head().toString().toLowerCase(Locale.ROOT)).doesNotContain("access-control-");
        assertThat(reply.header("Vary")).isEqualTo("Origin");
    }

    @Test
    void sameOriginIsServedWhateverTheSchemeAndTheTarget() throws IOException {
        String authority = service.baseUri().getAuthority();
        for (String scheme : new String[] {"http", "https"}) {
            assertThat(send("GET /prod/apps?x={", "Origin: " + scheme + "://" + authority)
                            .status())
                    .isEqualTo(403);
            assertThat(send("GET /q/openapi", "Origin: " + scheme + "://" + authority)
                            .status())
                    .isEqualTo(200);
        }
    }

    @Test
    void everyReplyHasTheTime() throws IOException {
        for (String request : new String[] {"GET /q/openapi", "GET /nowhere", "POST " + CREATE, "PUT " + CREATE}) {
            String date = send(request, "X: y").header("Date");
            Instant time = ZonedDateTime.parse(date, DateTimeFormatter.RFC_1123_DATE_TIME)
                    .toInstant();
            assertThat(time).as(request).isBetween(Instant.now().minusSeconds(5), Instant.now());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"xchunked", "gzip", "gzip, chunked", "identity"})
    void bodyOfAnotherTransferCodingEndsTheConnection(String coding) throws IOException {
        assertThat(untilItEnds("Transfer-Encoding: " + coding)).startsWith("HTTP/1.1 400 ");
    }

    @Test
    void chunkedRequestIsTheLastOfItsConnection() throws IOException {
        assertThat(untilItEnds("Transfer-Encoding: chunked\r\n\r\n0")).startsWith("HTTP/1.1 403 ");
        assertThat(untilItEnds("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0"))
                .startsWith("HTTP/1.1 400 ");
    }

    /** All that comes until the server ends the connection, which it must do by itself. */
    private static String untilItEnds(String header) throws IOException {
        try (Socket socket =
                new Socket(service.baseUri().getHost(), service.baseUri().getPort())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(request("POST " + CREATE, header));
            return new String(socket.getInputStream().readAllBytes(), US_ASCII);
        }
    }

    /** Nobody behind the same proxy is locked out by a caller with bad credentials. */
    @Test
    void refusedCredentialsOfOneDoNotLockOutOthers() throws IOException {
        try (KeptConnection connection = connection()) {
            for (int i = 0; i < 1000; i++) {
                assertThat(connection
                                .exchange(request("POST " + CREATE, "X: y"), false)
                                .status())
                        .isEqualTo(403);
            }
        }
        Map<String, String> signed = SignedRequest.to(service.baseUri().getAuthority(), "POST", CREATE, "")
                .headers();
        StringBuilder lines = new StringBuilder("Content-Length: 0");
        signed.forEach((name, value) -> {
            if (!name.equalsIgnoreCase("host")) {
                lines.append("\r\n").append(name).append(": ").append(value);
            }
        });
        assertThat(send("POST " + CREATE, lines.toString()).status()).isEqualTo(200);
    }

    /** Each of them cost up to half a second of an event loop. */
    @Test
    void manySignedHeadersAndHeaderLinesCostLittle() throws IOException {
        String attack = SignedRequest.manyNamesAndLines();
        try (KeptConnection connection = connection()) {
            connection.exchange(request("POST " + CREATE, attack), false);
            long started = System.nanoTime();
            int times = 200;
            for (int i = 0; i < times; i++) {
                assertThat(connection
                                .exchange(request("POST " + CREATE, attack), false)
                                .status())
                        .isEqualTo(403);
            }
            assertThat(Duration.ofNanos((System.nanoTime() - started) / times)).isLessThan(Duration.ofMillis(50));
        }
    }

    private static RawHttp.Reply send(String request, String header) throws IOException {
        try (KeptConnection connection = connection()) {
            return connection.exchange(request(request, header), false);
        }
    }

    private static byte[] request(String request, String header) {
        return (request + " HTTP/1.1\r\nHost: " + service.baseUri().getAuthority() + "\r\n" + header + "\r\n\r\n")
                .getBytes(US_ASCII);
    }

    private static KeptConnection connection() throws IOException {
        return new KeptConnection(service.baseUri().getPort());
    }
}
