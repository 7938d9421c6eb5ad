package dev.countersign;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceProcess;
import dev.countersign.support.TokenIssuer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.HashMap;
import java.util.Map;
import org.jose4j.jwt.JwtClaims;
import org.junit.jupiter.api.Test;

/** What the service is for, from the operator who signs in to the app that learns who that is. In production mode. */
class OperatorStoryIT {

    private static final String CHALLENGE = "/prod/backend/demo/challenge";
    private static final String OPERATOR = "operator@example.com";

    @Test
    void appLearnsWhichOperatorTheCodeIsFor() throws Exception {
        try (PostgresServer database = PostgresServer.start();
                TokenIssuer people = TokenIssuer.start();
                TokenIssuer cluster = TokenIssuer.start();
                ServiceProcess service = ServiceProcess.start(database, settings(people, cluster));
                HttpClient http = HttpClient.newHttpClient()) {
            database.execute("INSERT INTO app (app_id) VALUES ('demo')");
            String operator = people.issue(operator());
            String backend = cluster.issue(TokenIssuer.claims("system:serviceaccount:shop:web"));

            // The operator's CLI asks for a code with the operator's own token.
            JsonNode created = call(http, service, operator, CHALLENGE, "", 200);
            String session = CHALLENGE + "/" + created.path("sessionId").asText();
            assertThat(status(http, service, operator, session)).isEqualTo("ISSUED");

            // A browser carries link and code; the app's back end redeems it with its service account.
            String link =
                    "https://app.example/#" + created.path("challengeCode").asText();
            String body = "{\"challengeCode\":\"" + URI.create(link).getFragment() + "\"}";
            JsonNode redeemed = call(http, service, backend, session + "/redeem", body, 200);
            assertThat(redeemed.path("subject").asText()).isEqualTo(OPERATOR);
            assertThat(redeemed.path("subjectIssuer").asText()).isEqualTo(people.url());
            assertThat(redeemed.path("issuedTo").asText()).isEqualTo("operators");

            // The CLI sees it; the link is of no use any more.
            assertThat(status(http, service, operator, session)).isEqualTo("REDEEMED");
            call(http, service, backend, session + "/redeem", body, 404);
        }
    }

    private static JwtClaims operator() {
        JwtClaims claims = TokenIssuer.claims("8d0c1f");
        claims.setStringListClaim("groups", "console-admins");
        claims.setClaim("email", OPERATOR);
        claims.setClaim("email_verified", true);
        return claims;
    }

    private static Map<String, String> settings(TokenIssuer people, TokenIssuer cluster) {
        Map<String, String> settings = new HashMap<>(ServiceProcess.DEFAULT_TIMEOUTS);
        settings.putAll(people.settings("quarkus.oidc"));
        settings.putAll(cluster.settings("quarkus.oidc.cluster"));
        principal(
                settings,
                "operators",
                Map.of(
                        "issuer", people.url(),
                        "subject", "*",
                        "claim", "groups=console-admins",
                        "subject-claim", "email",
                        "permissions", "issue"));
        principal(
                settings,
                "shop",
                Map.of(
                        "issuer", cluster.url(),
                        "subject", "system:serviceaccount:shop:*",
                        "permissions", "redeem"));
        return settings;
    }

    private static void principal(Map<String, String> settings, String name, Map<String, String> members) {
        members.forEach((key, value) -> settings.put("countersign.principals." + name + "." + key, value));
        settings.put("countersign.principals." + name + ".apps", "demo");
    }

    private static String status(HttpClient http, ServiceProcess service, String token, String session)
            throws Exception {
        HttpRequest request = request(service, token, session + "/status").build();
        return new ObjectMapper()
                .readTree(http.send(request, BodyHandlers.ofString(UTF_8)).body())
                .path("state")
                .asText();
    }

    private static JsonNode call(
            HttpClient http, ServiceProcess service, String token, String path, String body, int status)
            throws Exception {
        HttpRequest request = request(service, token, path)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .build();
        HttpResponse<String> reply = http.send(request, BodyHandlers.ofString(UTF_8));
        assertThat(reply.statusCode()).as(reply.body()).isEqualTo(status);
        return new ObjectMapper().readTree(reply.body());
    }

    private static HttpRequest.Builder request(ServiceProcess service, String token, String path) {
        return HttpRequest.newBuilder(service.baseUri().resolve(path)).header("Authorization", "Bearer " + token);
    }
}
