package dev.countersign.support;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.util.Map;

/**
 * One client of a running service, on a connection that it keeps: cheap enough to race many of them. Not for several
 * threads at once.
 */
public final class ServiceClient implements AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int REPLY_WAIT_MILLIS = 60_000;

    private final URI service;
    private final Credentials credentials;
    private Socket socket;
    private InputStream in;

    /** As the caller that tests are unless they say otherwise. */
    public ServiceClient(URI service) {
        this(service, new Signatures(service.getAuthority()));
    }

    public ServiceClient(URI service, Credentials credentials) {
        this.service = service;
        this.credentials = credentials;
    }

    public Reply create(String app) {
        return exchange("POST", path(app), "", Map.of());
    }

    public Reply read(String app, String session) {
        return exchange("GET", path(app) + "/" + session, "", Map.of());
    }

    public Reply remove(String app, String session) {
        return exchange("POST", path(app) + "/" + session + "/remove", "", Map.of());
    }

    public Reply redeem(String app, String session, String code) {
        return redeem(app, session, code, Map.of());
    }

    public Reply redeem(String app, String session, String code, String idempotencyKey) {
        return redeem(app, session, code, Map.of("Idempotency-Key", idempotencyKey));
    }

    public Reply registerApp(String app) {
        return exchange("PUT", "/prod/apps/" + app, "{}", Map.of());
    }

    public Reply deleteApp(String app) {
        return exchange("DELETE", "/prod/apps/" + app, "", Map.of());
    }

    private Reply redeem(String app, String session, String code, Map<String, String> headers) {
        return exchange("POST", path(app) + "/" + session + "/redeem", "{\"challengeCode\":\"" + code + "\"}", headers);
    }

    private Reply exchange(String method, String path, String body, Map<String, String> more) {
        StringBuilder request = new StringBuilder(method + " " + path + " HTTP/1.1\r\nHost: " + service.getAuthority());
        if (!body.isEmpty()) {
            request.append("\r\nContent-Type: application/json");
        }
        more.forEach((name, value) -> header(request, name, value));
        credentials.headers(method, path, body).forEach((name, value) -> header(request, name, value));
        header(request, "Content-Length", Integer.toString(body.length()));
        request.append("\r\n\r\n").append(body);
        try {
            connect();
            socket.getOutputStream().write(request.toString().getBytes(UTF_8));
            return readReply();
        } catch (IOException e) {
            close();
            return Reply.NONE;
        }
    }

    private static void header(StringBuilder request, String name, String value) {
        request.append("\r\n").append(name).append(": ").append(value);
    }

    private void connect() throws IOException {
        if (socket == null) {
            socket = new Socket(InetAddress.getLoopbackAddress(), service.getPort());
            socket.setTcpNoDelay(true);
            socket.setSoTimeout(REPLY_WAIT_MILLIS);
            in = new BufferedInputStream(socket.getInputStream());
        }
    }

    private Reply readReply() throws IOException {
        int status = Integer.parseInt(readLine().substring(9, 12));
        int length = 0;
        boolean last = false;
        for (String line = readLine(); !line.isEmpty(); line = readLine()) {
            if (line.regionMatches(true, 0, "content-length:", 0, 15)) {
                length = Integer.parseInt(line.substring(15).strip());
            }
            last |= line.equalsIgnoreCase("connection: close");
        }
        byte[] body = in.readNBytes(length);
        if (body.length < length) {
            throw new EOFException();
        }
        if (last) {
            close();
        }
        return new Reply(status, new String(body, UTF_8));
    }

    private String readLine() throws IOException {
        byte[] line = new byte[8192];
        int length = 0;
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                throw new EOFException();
            }
            line[length++] = (byte) next;
        }
        return new String(line, 0, length - 1, ISO_8859_1);
    }

    private static String path(String app) {
        return "/prod/backend/" + app + "/challenge";
    }

    @Override
    public void close() {
        if (socket == null) {
            return;
        }
        try {
            socket.close();
        } catch (IOException e) {
            // It was broken, which is why it is closed.
        }
        socket = null;
    }

    /** A token as its create gave it. */
    public record Token(String app, String session, String code) {

        /** Fails unless the create succeeded. */
        public static Token of(Reply created) {
            if (!created.isSuccess()) {
                throw new AssertionError(created.toString());
            }
            return new Token(created.member("appId"), created.member("sessionId"), created.member("challengeCode"));
        }
    }

    /** What a request needs to be let in. */
    @FunctionalInterface
    public interface Credentials {
        Map<String, String> headers(String method, String path, String body);
    }

    /** What came back; status 0 when nothing did, and the service may or may not have done what it was asked. */
    public record Reply(int status, String body) {

        static final Reply NONE = new Reply(0, "");

        public boolean isSuccess() {
            return status == 200;
        }

        /** A member of the body. */
        public String member(String name) {
            try {
                return JSON.readTree(body).path(name).asText();
            } catch (JsonProcessingException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
