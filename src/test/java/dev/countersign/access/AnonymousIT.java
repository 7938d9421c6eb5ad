package dev.countersign.access;

import static dev.countersign.support.Contract.anonymousCall;
import static dev.countersign.support.Tokens.create;
import static org.hamcrest.Matchers.equalTo;

import dev.countersign.support.ServiceTest;
import io.quarkus.test.junit.QuarkusIntegrationTest;
import io.restassured.response.ValidatableResponse;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** In production a caller without credentials is let in nowhere. */
@QuarkusIntegrationTest
class AnonymousIT extends ServiceTest {

    @Test
    void callerWithoutCredentialsIsRefusedOnEveryOperation() {
        Map<String, String> token = create("demo");
        String challenge = "/prod/backend/demo/challenge";
        String session = challenge + "/" + token.get("sessionId");
        String redeem = "{\"challengeCode\":\"" + token.get("challengeCode") + "\"}";
        List<ValidatableResponse> replies = List.of(
                anonymousCall().post(challenge).then(),
                anonymousCall().get(session).then(),
                anonymousCall().post(session + "/remove").then(),
                anonymousCall()
                        .contentType("application/json")
                        .body(redeem)
                        .post(session + "/redeem")
                        .then(),
                anonymousCall().get("/prod/apps").then(),
                anonymousCall().get("/prod/apps/demo").then(),
                anonymousCall()
                        .contentType("application/json")
                        .body("{}")
                        .put("/prod/apps/demo")
                        .then(),
                anonymousCall().delete("/prod/apps/demo").then());
        for (ValidatableResponse reply : replies) {
            reply.statusCode(403).header("x-amzn-ErrorType", equalTo("MissingAuthenticationTokenException"));
        }
    }

    @Test
    void preflightNeedsNoCredentialsAndErrorsCarryCorsHeaders() {
        anonymousCall()
                .header("Origin", "https://console.example.com")
                .header("Access-Control-Request-Method", "POST")
                .header("Access-Control-Request-Headers", "authorization,x-amz-date")
                .options("/prod/backend/demo/challenge")
                .then()
                .statusCode(200)
                .header("Access-Control-Allow-Origin", equalTo("https://console.example.com"));
        anonymousCall()
                .header("Origin", "https://console.example.com")
                .post("/prod/backend/demo/challenge")
                .then()
                .statusCode(403)
                .header("Access-Control-Allow-Origin", equalTo("https://console.example.com"));
    }
}
