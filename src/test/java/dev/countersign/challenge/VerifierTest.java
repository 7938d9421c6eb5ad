package dev.countersign.challenge;

import static dev.countersign.challenge.SubjectTest.create;
import static dev.countersign.challenge.SubjectTest.created;
import static dev.countersign.support.Contract.call;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.nullValue;

import dev.countersign.support.ServiceTest;
import dev.countersign.support.TestDatabase;
import dev.countersign.support.Tokens;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.ValidatableResponse;
import io.restassured.specification.RequestSpecification;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A token that is bound to a verifier (RFC 7636), and one that is not. */
@QuarkusTest
class VerifierTest extends ServiceTest {

    /** The example of RFC 7636, appendix B. */
    static final String VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    static final String CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    static final String OTHER_VERIFIER = "a".repeat(43);
    static final String OTHER_CHALLENGE = "ZtNPunH49FD35FWYhT5Tv8I7vRKQJ8uxMaL0_9eHjNA";

    @Test
    void rightVerifierRedeems() {
        redeem(bound(), VERIFIER, null).statusCode(200).body("codeChallenge", nullValue());
        redeem(created(create(call(), Map.of("codeChallenge", OTHER_CHALLENGE))), OTHER_VERIFIER, null)
                .statusCode(200);
    }

    @Test
    void missingVerifierIsAWrongCode() {
        assertCostsAnAttempt(bound(), null, VERIFIER);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXK",
                "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk=",
                "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjX",
                "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
                "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEj\u0000",
                "ü"
            })
    void wrongVerifierOfAnyFormIsAWrongCode(String verifier) {
        assertCostsAnAttempt(bound(), verifier, VERIFIER);
    }

    @Test
    void verifierOfAnyLengthIsNo400() {
        assertCostsAnAttempt(bound(), "a".repeat(4000), VERIFIER);
    }

    /** RFC 7636 has 43 characters or more; a challenge of a shorter one is met by nobody. */
    @Test
    void shortVerifierIsWrongThoughItsHashIsRight() {
        String hashOfShort = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0";
        Map<String, String> token = created(create(call(), Map.of("codeChallenge", hashOfShort)));
        assertCostsAnAttempt(token, "abc", null);
    }

    /** RFC 9700, section 2.1.1: one that is sent where none was asked for shows a mix-up, or an attack. */
    @Test
    void verifierOfATokenWithoutAChallengeIsAWrongCode() {
        Map<String, String> token = Tokens.create("demo");
        assertCostsAnAttempt(token, VERIFIER, null);
        Map<String, String> another = Tokens.create("demo");
        assertCostsAnAttempt(another, "", null);
        redeem(another, null, null).statusCode(200);
    }

    @Test
    void wrongVerifiersLock() {
        Map<String, String> token = bound();
        for (int attempt = 1; attempt <= 5; attempt++) {
            redeem(token, OTHER_VERIFIER, null).statusCode(404);
        }
        redeem(token, VERIFIER, null).statusCode(404);
        assertThat(row(token)).isEqualTo("locked 5");
    }

    @Test
    void rightVerifierOfAWrongCodeIsAWrongCode() {
        Map<String, String> token = new HashMap<>(bound());
        token.put("challengeCode", Tokens.create("demo").get("challengeCode"));
        redeem(token, VERIFIER, null).statusCode(404);
        assertThat(row(token)).isEqualTo("issued 1");
    }

    @Test
    void repeatSaysSoAndNeedsTheVerifierToo() {
        Map<String, String> token = bound();
        ValidatableResponse first = redeem(token, VERIFIER, "k").statusCode(200);
        first.header("Idempotent-Replayed", nullValue());
        ValidatableResponse again = redeem(token, VERIFIER, "k").statusCode(200);
        again.header("Idempotent-Replayed", equalTo("true"));
        assertThat(again.extract().asString()).isEqualTo(first.extract().asString());
        redeem(token, null, "k").statusCode(404).header("Idempotent-Replayed", nullValue());
        redeem(token, OTHER_VERIFIER, "k").statusCode(404);
        redeem(token, VERIFIER, "other").statusCode(404);
        redeem(token, VERIFIER, null).statusCode(404);

        Map<String, String> unbound = Tokens.create("demo");
        redeem(unbound, null, "k").statusCode(200);
        redeem(unbound, VERIFIER, "k").statusCode(404);
        redeem(unbound, null, "k").statusCode(200);
    }

    @Test
    void verifierThatIsNoStringIs400() {
        for (String verifier : List.of("7", "null", "[]", "{}")) {
            Map<String, String> token = bound();
            call().contentType("application/json")
                    .body("{\"challengeCode\":\"x\",\"codeVerifier\":" + verifier + "}")
                    .post("/prod/backend/demo/challenge/" + token.get("sessionId") + "/redeem")
                    .then()
                    .statusCode(400)
                    .body("message", equalTo("codeVerifier is not what the contract describes"));
            assertThat(row(token)).isEqualTo("issued 0");
        }
    }

    private static void assertCostsAnAttempt(Map<String, String> token, String verifier, String right) {
        redeem(token, verifier, null).statusCode(404).body("resourceType", equalTo("token"));
        assertThat(row(token)).isEqualTo("issued 1");
        if (right != null) {
            redeem(token, right, null).statusCode(200);
        }
    }

    private static Map<String, String> bound() {
        return created(create(call(), Map.of("codeChallenge", CHALLENGE)));
    }

    static ValidatableResponse redeem(Map<String, String> token, String verifier, String idempotencyKey) {
        Map<String, String> body = new HashMap<>();
        body.put("challengeCode", token.get("challengeCode"));
        if (verifier != null) {
            body.put("codeVerifier", verifier);
        }
        RequestSpecification call = call();
        if (idempotencyKey != null) {
            call.header("Idempotency-Key", idempotencyKey);
        }
        return call.contentType("application/json")
                .body(body)
                .post("/prod/backend/demo/challenge/" + token.get("sessionId") + "/redeem")
                .then();
    }

    private static String row(Map<String, String> token) {
        return TestDatabase.query("SELECT state || ' ' || attempts FROM challenge_session WHERE session_id = '"
                        + token.get("sessionId") + "'")
                .getFirst();
    }
}
