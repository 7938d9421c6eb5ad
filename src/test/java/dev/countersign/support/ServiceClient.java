package dev.countersign.support;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.Map;

/**
 * One client of a running service, on a connection that it keeps: cheap enough to race many of them. Not for several
 * threads at once.
 */
public final class ServiceClient implements AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final URI service;
    private final Credentials credentials;
    private final KeptConnection connection;

    /** As the caller that tests are unless they say otherwise. */
    public ServiceClient(URI service) {
        this(service, new Signatures(service.getAuthority()));
    }

    public ServiceClient(URI service, Credentials credentials) {
        this.service = service;
        this.credentials = credentials;
        this.connection = new KeptConnection(service.getPort());
    }

    public Reply create(String app) {
        return exchange("POST", path(app), "", Map.of());
    }

    public Reply create(String app, String body) {
        return exchange("POST", path(app), body, Map.of());
    }

    public Reply status(String app, String session) {
        return exchange("GET", path(app) + "/" + session + "/status", "", Map.of());
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

    public Reply app(String app) {
        return exchange("GET", "/prod/apps/" + app, "", Map.of());
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
            connection.write(request.toString().getBytes(UTF_8));
            RawHttp.Reply reply = connection.read(false);
            return new Reply(reply.status(), reply.body(), reply.header("x-amzn-RequestId"));
        } catch (IOException e) {
            // Not sent again: it may have been done.
            close();
            return Reply.NONE;
        }
    }

    private static void header(StringBuilder request, String name, String value) {
        request.append("\r\n").append(name).append(": ").append(value);
    }

    private static String path(String app) {
        return "/prod/backend/" + app + "/challenge";
    }

    @Override
    public void close() {
        connection.close();
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
    public record Reply(int status, String body, String requestId) {

        static final Reply NONE = new Reply(0, "", "");

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
