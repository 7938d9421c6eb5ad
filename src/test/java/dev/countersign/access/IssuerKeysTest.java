package dev.countersign.access;

import static dev.countersign.support.Callers.TESTER;
import static dev.countersign.support.Contract.anonymousCall;
import static dev.countersign.support.TokenIssuer.token;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.countersign.support.ServiceTest;
import dev.countersign.support.TokenIssuer;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** An issuer that changes a key and keeps the key's ID. */
@QuarkusTest
class IssuerKeysTest extends ServiceTest {

    @Inject
    IssuerKeys keys;

    @Test
    void keyThatChangesUnderItsIdIsTakenWithoutARestart() {
        assertThat(statusWith(token(TESTER))).isEqualTo(200);
        String before = token(TESTER);
        TokenIssuer.renew();
        assertThat(statusWith(token(TESTER))).isEqualTo(401);
        // Quarkus fetches at most once in 5 s, and another test may just have made it fetch.
        await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> {
            keys.refresh().await().atMost(Duration.ofSeconds(5));
            assertThat(statusWith(token(TESTER))).isEqualTo(200);
        });
        assertThat(statusWith(before)).isEqualTo(401);
        // Other tests go on with a token of their own.
        System.setProperty("countersign.test.token", token(TESTER));
    }

    private static int statusWith(String token) {
        return anonymousCall()
                .header("Authorization", "Bearer " + token)
                .post("/prod/backend/demo/challenge")
                .statusCode();
    }
}
