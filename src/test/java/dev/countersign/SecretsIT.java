package dev.countersign;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.support.AwsCredentials;
import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceProcess;
import dev.countersign.support.SignedRequest;
import dev.countersign.support.TokenIssuer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jboss.logging.Logger;
import org.jose4j.jwt.JwtClaims;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** No code, key, secret or signature is in anything that the service leaves behind, with every log at TRACE. */
class SecretsIT {

    private static final Logger LOG = Logger.getLogger(SecretsIT.class);

    /** Four times as many take sixteen times as long to search for. */
    private static final int CREATES = 250;

    private static final String QUOTES_BODIES = "org.jboss.resteasy.reactive.server.handlers.RequestDeserializeHandler";
    private static final String VERIFIER = "verifier-canary-of-43-characters-and-some-more";
    private static final String PATH_CANARY = "path-that-nobody-has";

    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private static final Set<String> CODES = new TreeSet<>();
    private static final Set<String> SESSIONS = new TreeSet<>();
    private static final Set<String> SIGNATURES = new TreeSet<>();
    private static PostgresServer database;
    private static Path log;
    private static String metrics;

    /** Every operation, its refusals too. */
    @BeforeAll
    static void useTheService() throws Exception {
        database = PostgresServer.start();
        try (TokenIssuer issuer = TokenIssuer.start();
                ServiceProcess service = ServiceProcess.start(
                        database,
                        Map.of(
                                "quarkus.log.level",
                                "TRACE",
                                "quarkus.log.console.level",
                                "TRACE",
                                "quarkus.log.category.\"" + QUOTES_BODIES + "\".level",
                                "TRACE",
                                "quarkus.oidc.auth-server-url",
                                issuer.url(),
                                "quarkus.oidc.token.audience",
                                TokenIssuer.AUDIENCE,
                                "countersign.principals.bearer.subject",
                                "bearer",
                                "countersign.principals.bearer.apps",
                                "demo",
                                "countersign.principals.bearer.permissions",
                                "issue"));
                ServiceClient client = new ServiceClient(service.baseUri(), SecretsIT::sign)) {
            authority = service.baseUri().getAuthority();
            database.execute("INSERT INTO app (app_id) VALUES ('demo')");
            for (int i = 0; i < CREATES; i++) {
                JsonNode token =
                        new ObjectMapper().readTree(client.create("demo").body());
                String code = token.path("challengeCode").asText();
                String session = token.path("sessionId").asText();
                CODES.add(code);
                SESSIONS.add(session);
                if (i % 10 == 0) {
                    redeemByMalformedBodies(service, session, code);
                    client.read("demo", session);
                    client.redeem("demo", session, "wrong" + code.substring(5));
                    client.redeem("other", session, code);
                    client.redeem("demo", session, code, "idempotency-key-canary");
                    client.redeem("demo", session, code, "idempotency-key-canary");
                    client.redeem("demo", session, code);
                    redeemWithAVerifier(client, service);
                } else if (i % 10 == 1) {
                    client.remove("demo", session);
                }
            }
            useBearerTokens(service, issuer);
            get(service.baseUri().resolve("/nowhere/" + PATH_CANARY));
            get(service.baseUri().resolve("/prod/backend/" + PATH_CANARY + "/challenge/1"));
            metrics = get(service.managementUri().resolve("/q/metrics"));
            log = service.log();
        }
    }

    private static void redeemWithAVerifier(ServiceClient client, ServiceProcess service) throws Exception {
        byte[] hash = MessageDigest.getInstance("SHA-256").digest(VERIFIER.getBytes(UTF_8));
        String challenge = Base64.getUrlEncoder().withoutPadding().encodeToString(hash);
        Token token = Token.of(client.create("demo", "{\"codeChallenge\":\"" + challenge + "\"}"));
        CODES.add(token.code());
        String path = "/prod/backend/demo/challenge/" + token.session() + "/redeem";
        for (String form : List.of(
                "{\"challengeCode\":\"x\",\"codeVerifier\":VERIFIER}",
                "{\"challengeCode\":\"x\",\"codeVerifier\":[\"VERIFIER\"]}")) {
            String body = form.replace("VERIFIER", VERIFIER);
            assertThat(send(service, path, body, sign("POST", path, body))).isEqualTo(400);
        }
        String body = "{\"challengeCode\":\"" + token.code() + "\",\"codeVerifier\":\"" + VERIFIER + "\"}";
        assertThat(send(service, path, body, sign("POST", path, body))).isEqualTo(200);
        assertThat(send(service, path, body, sign("POST", path, body))).isEqualTo(404);
    }

    /** What Jackson says of them quotes what it stumbled over. */
    private static void redeemByMalformedBodies(ServiceProcess service, String session, String code) {
        String path = "/prod/backend/demo/challenge/" + session + "/redeem";
        for (String form : List.of(
                "{\"challengeCode\":CODE}",
                "CODE",
                "{\"challengeCode\":\"\",\"CODE\":\"\"}",
                "{\"challengeCode\":\"\",\"x\":CODE,\"y\":\"\"}",
                "{\"CODE\":\"\",\"CODE\":\"\"}",
                "{\"challengeCode\":[\"CODE\"]}")) {
            String body = form.replace("CODE", code);
            assertThat(send(service, path, body, sign("POST", path, body))).isEqualTo(400);
        }
    }

    private static void useBearerTokens(ServiceProcess service, TokenIssuer issuer) {
        JwtClaims good = TokenIssuer.claims("bearer");
        JwtClaims refused = TokenIssuer.claims("bearer");
        refused.setAudience("another-service");
        String path = "/prod/backend/demo/challenge";
        assertThat(send(service, path, "", bearer(issuer.issue(good)))).isEqualTo(200);
        assertThat(send(service, path, "", bearer(issuer.issue(refused)))).isEqualTo(401);
        String token = issuer.issue(good);
        int signature = token.lastIndexOf('.') + 1;
        String ofAnotherKey = token.substring(0, signature) + new StringBuilder(token.substring(signature)).reverse();
        assertThat(send(service, path, "", bearer(ofAnotherKey))).isEqualTo(401);
    }

    private static Map<String, String> bearer(String token) {
        SIGNATURES.add(token.substring(token.lastIndexOf('.') + 1));
        return Map.of("Authorization", "Bearer " + token);
    }

    private static String authority;

    @AfterAll
    static void stop() {
        database.close();
    }

    @Test
    void noSecretIsInALog() throws IOException {
        String text = Files.readString(log);
        LOG.infof("searched %d characters of logs for %d codes", text.length(), CODES.size());
        assertThat(SESSIONS)
                .as("what is searched is the log of these calls")
                .allSatisfy(session -> assertThat(text.contains(session)).isTrue());
        assertThat(text).contains("TRACE");
        assertNothingOf(text);
    }

    @Test
    void noSecretIsInAMetric() {
        assertThat(metrics).contains("http_server_requests");
        assertNothingOf(metrics);
        assertThat(metrics).contains("/prod/backend/{appId}/challenge/{sessionId}");
        assertThat(SESSIONS).noneMatch(metrics::contains);
        assertThat(metrics).doesNotContain(PATH_CANARY);
    }

    @Test
    void noSecretIsInTheDatabaseNorInItsLogOfWrites() throws IOException {
        database.execute("CHECKPOINT");
        List<String> files = new ArrayList<>();
        long size = 0;
        try (Stream<Path> all = Files.walk(database.dataDirectory())) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                byte[] bytes = Files.readAllBytes(file);
                size += bytes.length;
                files.add(new String(bytes, ISO_8859_1));
            }
        }
        LOG.infof("searched %d bytes of the data directory, WAL included, for %d codes", size, CODES.size());
        // The principal's name stands beside each salt: what is searched holds the rows.
        assertThat(files).anyMatch(file -> file.contains("sdk"));
        for (String file : files) {
            assertNothingOf(file);
        }
        for (String code : CODES) {
            String raw = new String(Base64.getUrlDecoder().decode(code), ISO_8859_1);
            assertThat(files).noneMatch(file -> file.contains(raw));
        }
    }

    private static void assertNothingOf(String text) {
        List<String> secrets = Stream.of(
                        CODES.stream(),
                        SIGNATURES.stream(),
                        Stream.of(
                                AwsCredentials.SECRET_ACCESS_KEY,
                                ServiceProcess.KEY,
                                "idempotency-key-canary",
                                VERIFIER))
                .flatMap(all -> all)
                .toList();
        // What was found may be shown here: it is worth nothing any more.
        assertThat(secrets.stream().filter(text::contains).limit(3).collect(Collectors.toList()))
                .isEmpty();
    }

    private static Map<String, String> sign(String method, String path, String body) {
        Map<String, String> headers =
                SignedRequest.to(authority, method, path, body).headers();
        headers.forEach((name, value) -> {
            if (name.equalsIgnoreCase("Authorization")) {
                SIGNATURES.add(value.substring(value.indexOf("Signature=") + "Signature=".length()));
            }
        });
        return headers;
    }

    private static int send(ServiceProcess service, String path, String body, Map<String, String> headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(service.baseUri().resolve(path))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body));
        headers.forEach(request::header);
        return send(request.build()).statusCode();
    }

    private static String get(URI uri) {
        return send(HttpRequest.newBuilder(uri).build()).body();
    }

    private static HttpResponse<String> send(HttpRequest request) {
        try {
            return HTTP.send(request, BodyHandlers.ofString(UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
