package dev.countersign.support;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jose4j.jwk.JsonWebKey.OutputControlLevel;
import org.jose4j.jwk.RsaJsonWebKey;
import org.jose4j.jwk.RsaJwkGenerator;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.lang.JoseException;

/**
 * A real issuer of JSON Web Tokens: OpenID discovery and a key set over HTTP, and keys that rotate. It signs what it is
 * asked to, so that a test in another class loader can have any token.
 */
public final class TokenIssuer implements AutoCloseable {

    public static final String AUDIENCE = "countersign";
    static final String URL = "countersign.test.issuer-url";

    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    private final HttpServer server;
    private volatile RsaJsonWebKey key = newKey();
    private final AtomicInteger introspections = new AtomicInteger();
    private final AtomicInteger fetches = new AtomicInteger();

    private TokenIssuer(HttpServer server) {
        this.server = server;
        server.createContext(
                "/.well-known/openid-configuration",
                exchange -> reply(exchange, """
                        {"issuer": "%s", "jwks_uri": "%s/jwks", "token_endpoint": "%s/token",
                         "introspection_endpoint": "%s/introspect"}
                        """.formatted(url(), url(), url(), url())));
        server.createContext("/jwks", exchange -> {
            fetches.incrementAndGet();
            reply(exchange, """
                    {"keys": [%s]}
                    """.formatted(key.toJson(OutputControlLevel.PUBLIC_ONLY)));
        });
        server.createContext("/introspect", exchange -> {
            introspections.incrementAndGet();
            reply(exchange, """
                    {"active": true, "sub": "%s", "username": "%s", "aud": "%s", "iss": "%s", "exp": 4102444800}
                    """.formatted(Callers.TESTER, Callers.TESTER, AUDIENCE, url()));
        });
        server.createContext("/introspections", exchange -> reply(exchange, introspections.toString()));
        server.createContext("/sign/", exchange -> {
            String algorithm = exchange.getRequestURI().getPath().substring("/sign/".length());
            reply(exchange, sign(body(exchange), algorithm));
        });
        server.createContext("/rotate", exchange -> {
            key = newKey();
            reply(exchange, "");
        });
        server.createContext("/renew", exchange -> {
            String id = key.getKeyId();
            key = newKey();
            key.setKeyId(id);
            reply(exchange, "");
        });
        server.start();
    }

    public static TokenIssuer start() {
        return start(0);
    }

    /** On a port of the test's choice. */
    public static TokenIssuer start(int port) {
        try {
            return new TokenIssuer(HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Its issuer claim and the root of its endpoints. */
    public String url() {
        return "http://localhost:" + server.getAddress().getPort();
    }

    /** What makes it one of a service's issuers: the one without a name, or {@code quarkus.oidc.<name>}. */
    public Map<String, String> settings(String prefix) {
        return Map.of(
                prefix + ".auth-server-url", url(),
                prefix + ".token.issuer", url(),
                prefix + ".token.audience", AUDIENCE);
    }

    /** A good token for the subject, from the issuer of the service under test. */
    public static String token(String subject) {
        return sign(claims(subject));
    }

    /** Signs any claims, good or bad. */
    public static String sign(JwtClaims claims) {
        return sign(claims, AlgorithmIdentifiers.RSA_USING_SHA256);
    }

    /** The same by any algorithm that its key is good for. */
    public static String sign(JwtClaims claims, String algorithm) {
        return post("/sign/" + algorithm, claims.toJson());
    }

    /** Signs any claims, which become those of this issuer. */
    public String issue(JwtClaims claims) {
        return issue(claims, url());
    }

    /** The same, which become those of another issuer. */
    public String issue(JwtClaims claims, String iss) {
        claims.setIssuer(iss);
        return issueAsIs(claims);
    }

    /** Signs any claims. */
    public String issueAsIs(JwtClaims claims) {
        return sign(claims.toJson(), AlgorithmIdentifiers.RSA_USING_SHA256);
    }

    /** How often its keys were fetched. */
    public int fetches() {
        return fetches.get();
    }

    /** From now on signs with, and publishes, another key only. */
    public void changeKey() {
        key = newKey();
    }

    /** How often this one was asked whether a token is good. */
    public int questions() {
        return introspections.get();
    }

    /** What a good token says. */
    public static JwtClaims claims(String subject) {
        JwtClaims claims = new JwtClaims();
        claims.setIssuer(System.getProperty(URL));
        claims.setAudience(AUDIENCE);
        claims.setSubject(subject);
        claims.setIssuedAtToNow();
        claims.setExpirationTimeMinutesInTheFuture(60);
        return claims;
    }

    /** From now on signs with, and publishes, another key only. */
    public static void rotate() {
        post("/rotate", "");
    }

    /** The same, but the other key has the ID of the first. */
    public static void renew() {
        post("/renew", "");
    }

    /** How often it was asked whether a token is good, which it says of each. */
    public static int introspections() {
        return Integer.parseInt(post("/introspections", ""));
    }

    /** The public keys that it publishes, which everybody has. */
    public static String publicKeySet() {
        return post("/jwks", "");
    }

    private String sign(String claims, String algorithm) {
        try {
            JsonWebSignature token = new JsonWebSignature();
            token.setPayload(claims);
            token.setKey(key.getPrivateKey());
            token.setKeyIdHeaderValue(key.getKeyId());
            token.setAlgorithmHeaderValue(algorithm);
            return token.getCompactSerialization();
        } catch (JoseException e) {
            throw new IllegalStateException(e);
        }
    }

    private static RsaJsonWebKey newKey() {
        try {
            RsaJsonWebKey key = RsaJwkGenerator.generateJwk(2048);
            key.setKeyId(Long.toString(System.nanoTime()));
            key.setUse("sig");
            key.setAlgorithm(AlgorithmIdentifiers.RSA_USING_SHA256);
            return key;
        } catch (JoseException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String post(String path, String body) {
        try {
            return CLIENT.send(
                            HttpRequest.newBuilder(URI.create(System.getProperty(URL) + path))
                                    .POST(BodyPublishers.ofString(body))
                                    .build(),
                            BodyHandlers.ofString())
                    .body();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String body(HttpExchange exchange) throws IOException {
        return new String(exchange.getRequestBody().readAllBytes(), UTF_8);
    }

    private static void reply(HttpExchange exchange, String body) throws IOException {
        byte[] bytes = body.getBytes(UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.sendResponseHeaders(200, bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
