package dev.countersign.support;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.restassured.RestAssured;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/** Sends a request as it is written, which HTTP clients don't: they mend the path. */
public final class RawHttp {

    private RawHttp() {}

    public static Reply send(String method, String path, String... headers) throws IOException {
        return exchange(head(method, path, headers) + "Content-Length: 0\r\n\r\n");
    }

    /** Sends a body too; chunked leaves its length open. */
    public static Reply sendBody(String method, String path, String body, boolean chunked, String... headers)
            throws IOException {
        String head = head(method, path, headers);
        return exchange(
                chunked
                        ? head + "Transfer-Encoding: chunked\r\n\r\n" + Integer.toHexString(body.length()) + "\r\n"
                                + body + "\r\n0\r\n\r\n"
                        : head + "Content-Length: " + body.length() + "\r\n\r\n" + body);
    }

    private static String head(String method, String path, String... headers) {
        StringBuilder head = new StringBuilder(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n");
        if (Arrays.stream(headers).noneMatch(header -> header.startsWith("Authorization:"))) {
            head.append("Authorization: ").append(Callers.bearer()).append("\r\n");
        }
        Arrays.stream(headers).forEach(header -> head.append(header).append("\r\n"));
        return head.append("Connection: close\r\n").toString();
    }

    private static Reply exchange(String request) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), RestAssured.port)) {
            socket.setSoTimeout(10_000);
            OutputStream out = socket.getOutputStream();
            try {
                out.write(request.getBytes(UTF_8));
                out.flush();
            } catch (SocketException e) {
                // The server may refuse a body before it has all of it; its reply is there to be read.
            }
            return parse(readAll(socket.getInputStream()));
        }
    }

    private static String readAll(InputStream in) throws IOException {
        StringBuilder reply = new StringBuilder();
        byte[] buffer = new byte[8192];
        try {
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                reply.append(new String(buffer, 0, read, UTF_8));
            }
        } catch (SocketException e) {
            // Reset after the reply, for the body that nobody read.
        }
        return reply.toString();
    }

    private static Reply parse(String reply) {
        int end = reply.indexOf("\r\n\r\n");
        List<String> head = reply.substring(0, Math.max(end, 0)).lines().toList();
        int status = head.isEmpty() ? 0 : Integer.parseInt(head.getFirst().substring(9, 12));
        return new Reply(status, head, reply.substring(end < 0 ? reply.length() : end + 4));
    }

    /** Whether it is an error of the contract: its status, its type, and {@link #assertErrorBody}. */
    public static void assertError(Reply reply, int status, String type) throws IOException {
        assertThat(reply.status()).as(reply.toString()).isEqualTo(status);
        assertThat(reply.header("x-amzn-ErrorType")).isEqualTo(type);
        assertErrorBody(reply);
    }

    /** Whether it has what each error has, and says nothing of the inside. */
    public static void assertErrorBody(Reply reply) throws IOException {
        assertThat(reply.header("Content-Type")).startsWith("application/json");
        assertThat(reply.header("x-amzn-RequestId")).matches("[0-9a-f-]{36}");
        JsonNode body = new ObjectMapper().readTree(reply.body());
        assertThat(body.path("message").asText()).isNotBlank().doesNotContain("Exception", "dev.countersign", "SELECT");
        body.fieldNames()
                .forEachRemaining(
                        name -> assertThat(Set.of("message", "resourceType")).contains(name));
    }

    /** What came back; status 0 when nothing did. */
    public record Reply(int status, List<String> head, String body) {

        /** Its value, or an empty string. */
        public String header(String name) {
            return head.stream()
                    .filter(line -> line.regionMatches(true, 0, name + ":", 0, name.length() + 1))
                    .map(line -> line.substring(name.length() + 1).strip())
                    .findFirst()
                    .orElse("");
        }
    }
}
