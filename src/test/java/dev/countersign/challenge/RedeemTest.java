package dev.countersign.challenge;

import static dev.countersign.support.Contract.call;
import static dev.countersign.support.Tokens.create;
import static dev.countersign.support.Tokens.get;
import static dev.countersign.support.Tokens.read;
import static dev.countersign.support.Tokens.redeem;
import static dev.countersign.support.Tokens.remove;
import static java.util.Collections.nCopies;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.startsWith;

import dev.countersign.support.ServiceTest;
import dev.countersign.support.TestDatabase;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.http.Header;
import io.restassured.response.Response;
import io.restassured.response.ValidatableResponse;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a client sees of a redeem, one call after the other. */
@QuarkusTest
class RedeemTest extends ServiceTest {

    private static final String WRONG = "wrong-code-of-any-form";

    @Test
    void rightCodeWorksOnceAndTellsWhoAskedForIt() {
        Map<String, String> token = create("demo");
        Map<String, String> redeemed = redeem("demo", token.get("sessionId"), token.get("challengeCode"))
                .statusCode(200)
                .extract()
                .jsonPath()
                .getMap("", String.class, String.class);
        assertThat(redeemed)
                .containsOnlyKeys(
                        "appId",
                        "sessionId",
                        "issuedTo",
                        "subject",
                        "subjectIssuer",
                        "issuedAt",
                        "expiresAt",
                        "redeemedAt");
        assertThat(redeemed).containsEntry("appId", "demo").containsEntry("sessionId", token.get("sessionId"));
        assertThat(OffsetDateTime.parse(redeemed.get("redeemedAt")))
                .isAfterOrEqualTo(OffsetDateTime.parse(redeemed.get("issuedAt")));

        redeem("demo", token.get("sessionId"), token.get("challengeCode")).statusCode(404);
        get("demo", token.get("sessionId")).statusCode(404);
        remove("demo", token.get("sessionId")).statusCode(404);
    }

    @Test
    void redeemWipesTheSalt() {
        Map<String, String> token = create("demo");
        redeem("demo", token.get("sessionId"), token.get("challengeCode")).statusCode(200);
        assertThat(row(token)).isEqualTo("redeemed 0 salt gone");
    }

    @Test
    void fifthWrongCodeLocksTheTokenForTheRightOneToo() {
        Map<String, String> token = create("demo");
        for (int attempt = 1; attempt <= 4; attempt++) {
            redeem("demo", token.get("sessionId"), WRONG).statusCode(404);
            assertThat(row(token)).isEqualTo("issued " + attempt + " salt kept");
        }
        assertThat(read("demo", token.get("sessionId"))).isEqualTo(token);
        redeem("demo", token.get("sessionId"), WRONG).statusCode(404);
        assertThat(row(token)).isEqualTo("locked 5 salt gone");
        redeem("demo", token.get("sessionId"), token.get("challengeCode")).statusCode(404);
        get("demo", token.get("sessionId")).statusCode(404);
    }

    @Test
    void fourWrongCodesLeaveTheRightOneWorking() {
        Map<String, String> token = create("demo");
        for (int attempt = 1; attempt <= 4; attempt++) {
            redeem("demo", token.get("sessionId"), WRONG).statusCode(404);
        }
        redeem("demo", token.get("sessionId"), token.get("challengeCode")).statusCode(200);
    }

    @Test
    void repeatWithTheSameKeyGetsTheSameReply() {
        Map<String, String> token = create("demo");
        String session = token.get("sessionId");
        String code = token.get("challengeCode");
        String first =
                redeem("demo", session, code, "try-1").statusCode(200).extract().asString();
        assertThat(redeem("demo", session, code, "try-1")
                        .statusCode(200)
                        .extract()
                        .asString())
                .isEqualTo(first);
        redeem("demo", session, code, "try-2").statusCode(404);
        redeem("demo", session, code).statusCode(404);
        redeem("demo", session, WRONG, "try-1").statusCode(404);
        redeem("other", session, code, "try-1").statusCode(404);
        assertThat(redeem("demo", session, code, "try-1")
                        .statusCode(200)
                        .extract()
                        .asString())
                .isEqualTo(first);
    }

    @Test
    void repeatByAnotherPrincipalIsRefused() {
        Map<String, String> token = create("demo");
        String session = token.get("sessionId");
        redeem("demo", session, token.get("challengeCode"), "shared").statusCode(200);
        TestDatabase.execute(
                "UPDATE challenge_session SET redeemed_by = 'somebody-else' WHERE session_id = '" + session + "'");
        redeem("demo", session, token.get("challengeCode"), "shared").statusCode(404);
    }

    @Test
    void repeatAfterTheTokensLifeIsRefused() {
        Map<String, String> token = create("demo");
        redeem("demo", token.get("sessionId"), token.get("challengeCode"), "k").statusCode(200);
        TestDatabase.execute("""
                UPDATE challenge_session SET created_at = now() - interval '2 s', expires_at = now() - interval '1 s'
                 WHERE session_id = '%s'
                """.formatted(token.get("sessionId")));
        redeem("demo", token.get("sessionId"), token.get("challengeCode"), "k").statusCode(404);
    }

    /** Whoever may write rows can't make a code say anything else, nor let it live longer. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "issued_to = 'somebody-else'",
                "subject = 'somebody-else'",
                "subject_issuer = 'https://issuer.example.com'",
                "context = '{}'",
                "code_challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'",
                "created_at = created_at - interval '1 millisecond'",
                "expires_at = expires_at + interval '1 minute'",
                "key_id = 'gone'"
            })
    void codeOfAChangedRowIsWrong(String change) {
        Map<String, String> token = create("demo");
        change(token, change);
        redeem("demo", token.get("sessionId"), token.get("challengeCode")).statusCode(404);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "issued_to = 'somebody-else'",
                "subject = 'somebody-else'",
                "subject_issuer = 'https://issuer.example.com'",
                "context = '{}'",
                "created_at = created_at - interval '1 millisecond'",
                "expires_at = expires_at + interval '1 minute'",
                "key_id = 'gone'"
            })
    void changedRowIsNobodysEarlierResult(String change) {
        Map<String, String> token = create("demo");
        String session = token.get("sessionId");
        redeem("demo", session, token.get("challengeCode"), "k").statusCode(200);
        redeem("demo", session, token.get("challengeCode"), "k").statusCode(200);
        change(token, change);
        redeem("demo", session, token.get("challengeCode"), "k").statusCode(404);
    }

    @ParameterizedTest
    @ValueSource(strings = {"expires_at = expires_at + interval '1 minute'", "key_id = 'gone'"})
    void tokenThatCanNotBeRedeemedIsNotReadEither(String change) {
        Map<String, String> token = create("demo");
        change(token, change);
        get("demo", token.get("sessionId")).statusCode(404).body("resourceType", equalTo("token"));
    }

    /** They share statements, and each counts. */
    @Test
    void wrongCodesAtOnceAreEachCountedAndOneLocks() throws Exception {
        Map<String, String> four = create("demo");
        Map<String, String> many = create("demo");
        try (ExecutorService clients = Executors.newFixedThreadPool(16)) {
            List<Callable<Object>> calls = new ArrayList<>(nCopies(
                    4, () -> redeem("demo", four.get("sessionId"), WRONG).statusCode(404)));
            calls.addAll(nCopies(
                    28, () -> redeem("demo", many.get("sessionId"), WRONG).statusCode(404)));
            for (Future<Object> call : clients.invokeAll(calls)) {
                call.get();
            }
        }
        assertThat(row(four)).isEqualTo("issued 4 salt kept");
        assertThat(row(many)).isEqualTo("locked 5 salt gone");
    }

    @Test
    void everyRefusalLooksTheSame() {
        TestDatabase.register("shortlived", 1);
        Map<String, String> expired = create("shortlived");
        Map<String, String> wrong = create("demo");
        Map<String, String> used = create("demo");
        redeem("demo", used.get("sessionId"), used.get("challengeCode")).statusCode(200);
        Map<String, String> locked = create("demo");
        for (int attempt = 1; attempt <= 5; attempt++) {
            redeem("demo", locked.get("sessionId"), WRONG).statusCode(404);
        }
        Map<String, String> removed = create("demo");
        remove("demo", removed.get("sessionId")).statusCode(200);
        TestDatabase.query("SELECT pg_sleep(1.1)");

        List<String> replies = List.of(
                shape(redeem("demo", UUID.randomUUID().toString(), WRONG)),
                shape(redeem("demo", wrong.get("sessionId"), WRONG)),
                shape(redeem("demo", used.get("sessionId"), used.get("challengeCode"))),
                shape(redeem("demo", locked.get("sessionId"), locked.get("challengeCode"))),
                shape(redeem("demo", removed.get("sessionId"), removed.get("challengeCode"))),
                shape(redeem("shortlived", expired.get("sessionId"), expired.get("challengeCode"))),
                shape(redeem("other", wrong.get("sessionId"), wrong.get("challengeCode"))),
                shape(redeem("nosuchapp", wrong.get("sessionId"), wrong.get("challengeCode"))));
        assertThat(replies).containsOnly(replies.getFirst());
        assertThat(replies.getFirst()).startsWith("404").contains("\"resourceType\":\"token\"");
    }

    @Test
    void longestCodeAndKeyAreTaken() {
        redeem("demo", create("demo").get("sessionId"), "x".repeat(128), "k".repeat(128))
                .statusCode(404);
    }

    @Test
    void malformedRequestIs400AndCostsNoAttempt() {
        Map<String, String> token = create("demo");
        String path = "/prod/backend/demo/challenge/" + token.get("sessionId") + "/redeem";
        for (String body : List.of(
                "",
                "{",
                "[]",
                "null",
                "{}",
                "{\"challengeCode\":null}",
                "{\"challengeCode\":\"\"}",
                "{\"challengeCode\":7}",
                "{\"challengeCode\":[\"a\"]}",
                "{\"challengeCode\":\"" + "x".repeat(129) + "\"}",
                "{\"challengeCode\":\"x\"} trailing")) {
            call().contentType("application/json")
                    .body(body)
                    .post(path)
                    .then()
                    .statusCode(400)
                    .header("x-amzn-ErrorType", equalTo("BadRequestException"));
        }
        for (String key : List.of("with space", "x".repeat(129))) {
            redeem("demo", token.get("sessionId"), WRONG, key)
                    .statusCode(400)
                    .body("message", startsWith("Idempotency-Key"));
        }
        call().contentType("text/plain").body("x").post(path).then().statusCode(415);
        assertThat(row(token)).isEqualTo("issued 0 salt kept");
    }

    /** With the new value as a literal: on Citus, an UPDATE may not reckon with times. */
    private static void change(Map<String, String> token, String change) {
        String[] parts = change.split(" = ", 2);
        String where = " WHERE session_id = '" + token.get("sessionId") + "'";
        String value = TestDatabase.query("SELECT cast(" + parts[1] + " AS text) FROM challenge_session" + where)
                .getFirst();
        TestDatabase.execute("UPDATE challenge_session SET " + parts[0] + " = '" + value + "'" + where);
    }

    private static String row(Map<String, String> token) {
        return TestDatabase.query("SELECT state || ' ' || attempts || CASE WHEN salt IS NULL THEN ' salt gone'"
                        + " ELSE ' salt kept' END FROM challenge_session WHERE session_id = '"
                        + token.get("sessionId") + "'")
                .getFirst();
    }

    /** Everything of a reply but its request id and date. */
    private static String shape(ValidatableResponse reply) {
        Response response = reply.extract().response();
        List<String> headers = response.headers().asList().stream()
                .filter(header -> !header.hasSameNameAs(new Header("x-amzn-RequestId", ""))
                        && !header.hasSameNameAs(new Header("Date", "")))
                .map(Header::toString)
                .sorted()
                .toList();
        return response.statusCode() + " " + headers + " " + response.asString();
    }
}
