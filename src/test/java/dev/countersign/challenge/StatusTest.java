package dev.countersign.challenge;

import static dev.countersign.support.Contract.call;
import static dev.countersign.support.Contract.callAs;
import static dev.countersign.support.Tokens.create;
import static dev.countersign.support.Tokens.redeem;
import static dev.countersign.support.Tokens.remove;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.not;

import dev.countersign.support.ServiceTest;
import dev.countersign.support.TestDatabase;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.ValidatableResponse;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** What became of a token, for those who made it or may read it. */
@QuarkusTest
class StatusTest extends ServiceTest {

    @Test
    void tokenIsIssuedAndThenRedeemed() {
        Map<String, String> token = create("demo");
        Map<String, String> issued = members(status("demo", token.get("sessionId")));
        assertThat(issued)
                .containsOnlyKeys("appId", "sessionId", "state", "expiresAt")
                .containsEntry("appId", "demo")
                .containsEntry("sessionId", token.get("sessionId"))
                .containsEntry("state", "ISSUED");
        assertThat(OffsetDateTime.parse(issued.get("expiresAt")).toEpochSecond())
                .isEqualTo(Long.parseLong(token.get("ttl")));

        String redeemedAt = redeem("demo", token.get("sessionId"), token.get("challengeCode"))
                .statusCode(200)
                .extract()
                .path("redeemedAt");
        status("demo", token.get("sessionId"))
                .statusCode(200)
                .body("state", equalTo("REDEEMED"))
                .body("settledAt", equalTo(redeemedAt))
                .body("expiresAt", equalTo(issued.get("expiresAt")));
    }

    @Test
    void lockedTokenIsLocked() {
        Map<String, String> token = create("demo");
        for (int attempt = 1; attempt <= 5; attempt++) {
            redeem("demo", token.get("sessionId"), "wrong").statusCode(404);
        }
        String settledAt = status("demo", token.get("sessionId"))
                .statusCode(200)
                .body("state", equalTo("LOCKED"))
                .extract()
                .path("settledAt");
        assertThat(Instant.parse(settledAt)).isBetween(Instant.now().minusSeconds(60), Instant.now());
    }

    @Test
    void whatIsUnknownOrGoneIs404() {
        TestDatabase.register("shortlived", 1);
        Map<String, String> expired = create("shortlived");
        Map<String, String> used = create("shortlived");
        redeem("shortlived", used.get("sessionId"), used.get("challengeCode")).statusCode(200);
        Map<String, String> removed = create("demo");
        remove("demo", removed.get("sessionId")).statusCode(200);
        Map<String, String> moved = create("demo");
        TestDatabase.execute("UPDATE challenge_session SET expires_at = expires_at + interval '1 minute'"
                + " WHERE session_id = '" + moved.get("sessionId") + "'");
        TestDatabase.query("SELECT pg_sleep(1.1)");
        Map<String, String> live = create("demo");

        assert404(status("demo", UUID.randomUUID().toString()));
        assert404(status("other", live.get("sessionId")));
        assert404(status("nosuchapp", live.get("sessionId")));
        assert404(status("demo", removed.get("sessionId")));
        assert404(status("demo", moved.get("sessionId")));
        assert404(status("shortlived", expired.get("sessionId")));
        assert404(status("shortlived", used.get("sessionId")));
        status("demo", "not-a-uuid").statusCode(400);
    }

    @Test
    void readingChangesNothing() {
        Map<String, String> token = create("demo");
        String row = "SELECT challenge_session::text || xmin FROM challenge_session WHERE session_id = '"
                + token.get("sessionId") + "'";
        List<String> before = TestDatabase.query(row);
        status("demo", token.get("sessionId")).statusCode(200).body(not(equalTo("")));
        assertThat(TestDatabase.query(row)).isEqualTo(before);
    }

    @Test
    void whoMayIssueOrReadMayAsk() {
        String path = "/prod/backend/demo/challenge/" + create("demo").get("sessionId") + "/status";
        callAs("issuer").get(path).then().statusCode(200);
        callAs("reader").get(path).then().statusCode(200);
        for (String other : List.of("remover", "redeemer", "admin", "foreigner", "stranger")) {
            callAs(other).get(path).then().statusCode(403);
        }
    }

    private static void assert404(ValidatableResponse reply) {
        reply.statusCode(404).body("resourceType", equalTo("token"));
    }

    private static Map<String, String> members(ValidatableResponse reply) {
        return reply.statusCode(200).extract().jsonPath().getMap("", String.class, String.class);
    }

    private static ValidatableResponse status(String app, String session) {
        return call().get("/prod/backend/" + app + "/challenge/" + session + "/status")
                .then();
    }
}
