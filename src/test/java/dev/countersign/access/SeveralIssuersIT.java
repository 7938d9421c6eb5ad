package dev.countersign.access;

import static dev.countersign.support.Contract.anonymousCall;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.startsWith;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceProcess;
import dev.countersign.support.TokenIssuer;
import io.restassured.response.ValidatableResponse;
import java.net.URI;
import java.nio.file.Files;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jose4j.jwt.JwtClaims;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The packaged service, in production mode, with the issuer of a cluster's service accounts and one of people. */
class SeveralIssuersIT {

    private static final String SHOP = "system:serviceaccount:shop:web";

    private static PostgresServer database;
    private static TokenIssuer cluster;
    private static TokenIssuer people;
    private static ServiceProcess service;

    @BeforeAll
    static void start() {
        database = PostgresServer.start();
        cluster = TokenIssuer.start();
        people = TokenIssuer.start();
        service = ServiceProcess.start(database, settings());
        // The second is called as one of the issuers.
        database.execute("INSERT INTO app (app_id) VALUES ('demo'), ('people')");
    }

    @AfterAll
    static void stop() {
        service.close();
        people.close();
        cluster.close();
        database.close();
    }

    private static Map<String, String> settings() {
        Map<String, String> settings = new HashMap<>(cluster.settings("quarkus.oidc"));
        settings.putAll(people.settings("quarkus.oidc.people"));
        // With a name for itself, Quarkus could ask the issuer about tokens.
        settings.put("quarkus.oidc.people.client-id", TokenIssuer.AUDIENCE);
        principal(settings, "ann", Map.of("issuer", people.url(), "subject", "ann"));
        principal(settings, "shop", Map.of("issuer", cluster.url(), "subject", "system:serviceaccount:shop:*"));
        principal(
                settings,
                "operators",
                Map.of(
                        "issuer", people.url(),
                        "subject", "*",
                        "claim", "groups=console-admins",
                        "subject-claim", "email"));
        principal(settings, "auditors", Map.of("issuer", people.url(), "subject", "*", "claim", "groups=auditors"));
        return settings;
    }

    private static void principal(Map<String, String> settings, String name, Map<String, String> token) {
        String prefix = "countersign.principals." + name + ".";
        token.forEach((key, value) -> settings.put(prefix + key, value));
        settings.put(prefix + "apps", "*");
        settings.put(prefix + "permissions", "issue");
    }

    @Test
    void subjectIsSomebodyOnlyWithItsIssuer() {
        createWith(people.issue(TokenIssuer.claims("ann"))).statusCode(200);
        assertForbidden(cluster.issue(TokenIssuer.claims("ann")));
        createWith(cluster.issue(TokenIssuer.claims(SHOP))).statusCode(200);
        assertForbidden(people.issue(TokenIssuer.claims(SHOP)));
    }

    @Test
    void issuerCanNotSpeakForAnother() {
        assertRefused(cluster.issue(TokenIssuer.claims("ann"), people.url()));
        assertRefused(people.issue(TokenIssuer.claims(SHOP), cluster.url()));
    }

    @Test
    void tokenOfAnUnknownIssuerIsRefusedAndNothingIsFetched() {
        try (TokenIssuer unknown = TokenIssuer.start()) {
            int fetches = cluster.fetches() + people.fetches();
            JwtClaims withoutIssuer = TokenIssuer.claims("ann");
            withoutIssuer.unsetClaim("iss");
            for (String token : List.of(
                    unknown.issue(TokenIssuer.claims("ann")),
                    unknown.issue(TokenIssuer.claims("ann"), people.url() + "/"),
                    unknown.issueAsIs(withoutIssuer),
                    "an-opaque-token",
                    "..",
                    "a.b.c")) {
                assertRefused(token);
            }
            assertThat(unknown.fetches()).isZero();
            assertThat(cluster.fetches() + people.fetches()).isEqualTo(fetches);
        }
    }

    @Test
    void appThatIsCalledAsAnIssuerChangesNothing() {
        create("people", cluster.issue(TokenIssuer.claims(SHOP))).statusCode(200);
    }

    @Test
    void operatorIsKnownByAGroup() {
        JwtClaims claims = operator();
        claims.setStringListClaim("groups", "users", "console-admins");
        createWith(people.issue(claims)).statusCode(200);
        claims.setStringListClaim("groups", "users");
        assertForbidden(people.issue(claims));
        claims.setClaim("groups", Map.of("console-admins", "console-admins"));
        assertForbidden(people.issue(claims));
        claims.setStringClaim("groups", "console-admins");
        createWith(people.issue(claims)).statusCode(200);
        claims.setClaim("email_verified", false);
        assertForbidden(people.issue(claims));
        claims.unsetClaim("email");
        assertForbidden(people.issue(claims));
    }

    @Test
    void callerOfSeveralPrincipalsIsRefusedAndTheLogNamesThem() {
        JwtClaims claims = operator();
        claims.setStringListClaim("groups", "console-admins", "auditors");
        assertForbidden(people.issue(claims));
        assertForbidden(people.issue(claims));
        await().untilAsserted(() -> assertThat(Files.readAllLines(service.log()).stream()
                        .filter(line -> line.contains("its token is of several principals: "))
                        .toList())
                .singleElement()
                .asString()
                .contains("auditors", "operators", "WARN")
                .doesNotContain("bob"));
    }

    @Test
    void namedIssuerHasTheSameSafetyAsTheUnnamedOne() {
        assertRefused(people.issue(TokenIssuer.claims("ann"), cluster.url()));
        JwtClaims other = TokenIssuer.claims("ann");
        other.setAudience("another-service");
        assertRefused(people.issue(other));
        String before = people.issue(TokenIssuer.claims("ann"));
        people.changeKey();
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() ->
                        createWith(people.issue(TokenIssuer.claims("ann"))).statusCode(200));
        assertRefused(before);
        assertThat(people.questions()).isZero();
    }

    /** An issuer that was away for a while is found again. */
    @Test
    void issuerThatIsAwayAtTheStartIsFoundLater() {
        TokenIssuer away = TokenIssuer.start();
        int port = URI.create(away.url()).getPort();
        away.close();
        Map<String, String> settings = settings();
        settings.put("quarkus.oidc.people.auth-server-url", away.url());
        settings.put("quarkus.oidc.people.token.issuer", away.url());
        principal(settings, "ann", Map.of("issuer", away.url()));
        principal(settings, "operators", Map.of("issuer", away.url()));
        principal(settings, "auditors", Map.of("issuer", away.url()));
        try (ServiceProcess early = ServiceProcess.start(database, settings)) {
            String token = away.issue(TokenIssuer.claims("ann"));
            for (int i = 0; i < 3; i++) {
                create(early, "demo", token).statusCode(504);
            }
            create(early, "demo", cluster.issue(TokenIssuer.claims(SHOP))).statusCode(200);
            try (TokenIssuer back = TokenIssuer.start(port)) {
                create(early, "demo", back.issue(TokenIssuer.claims("ann"))).statusCode(200);
            }
        }
    }

    @Test
    void onlyIssuerMayHaveAName() {
        Map<String, String> settings = new HashMap<>(Map.of(
                "quarkus.oidc.people.auth-server-url",
                people.url(),
                "quarkus.oidc.people.token.audience",
                TokenIssuer.AUDIENCE));
        principal(settings, "ann", Map.of("subject", "ann"));
        try (ServiceProcess alone = ServiceProcess.start(database, settings)) {
            create(alone, "demo", people.issue(TokenIssuer.claims("ann"))).statusCode(200);
            create(alone, "demo", cluster.issue(TokenIssuer.claims("ann"))).statusCode(401);
        }
    }

    private static JwtClaims operator() {
        JwtClaims claims = TokenIssuer.claims("bob");
        claims.setStringClaim("email", "bob@example.com");
        claims.setClaim("email_verified", true);
        return claims;
    }

    private static void assertForbidden(String token) {
        createWith(token).statusCode(403).header("x-amzn-ErrorType", equalTo("AccessDeniedException"));
    }

    private static void assertRefused(String token) {
        createWith(token)
                .statusCode(401)
                .header("x-amzn-ErrorType", equalTo("UnauthorizedException"))
                .header("WWW-Authenticate", startsWith("Bearer"))
                .body("message", startsWith("The bearer token was refused"));
    }

    private static ValidatableResponse createWith(String token) {
        return create("demo", token);
    }

    private static ValidatableResponse create(String app, String token) {
        return create(service, app, token);
    }

    private static ValidatableResponse create(ServiceProcess service, String app, String token) {
        return anonymousCall()
                .baseUri(service.baseUri().toString())
                .header("Authorization", "Bearer " + token)
                .post("/prod/backend/" + app + "/challenge")
                .then();
    }
}
