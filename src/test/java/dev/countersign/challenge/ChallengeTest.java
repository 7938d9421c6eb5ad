package dev.countersign.challenge;

import static dev.countersign.support.Callers.bearer;
import static dev.countersign.support.Contract.call;
import static dev.countersign.support.Tokens.create;
import static dev.countersign.support.Tokens.get;
import static dev.countersign.support.Tokens.read;
import static dev.countersign.support.Tokens.remove;
import static io.restassured.RestAssured.given;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.emptyString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.matchesPattern;
import static org.hamcrest.Matchers.startsWith;

import dev.countersign.support.RawHttp;
import dev.countersign.support.ServiceTest;
import dev.countersign.support.SignedRequest;
import dev.countersign.support.TestDatabase;
import io.quarkus.test.junit.QuarkusTest;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The life of a token, seen by an HTTP client. */
@QuarkusTest
class ChallengeTest extends ServiceTest {

    @Test
    void createdTokenCanBeReadWithTheSameFourMembersUntilItIsRemoved() {
        Map<String, String> created = create("demo");
        assertThat(created).containsOnlyKeys("appId", "sessionId", "ttl", "challengeCode");
        assertThat(created).containsEntry("appId", "demo");

        assertThat(read("demo", created.get("sessionId"))).isEqualTo(created);
        assertThat(read("demo", created.get("sessionId"))).isEqualTo(created);

        remove("demo", created.get("sessionId"))
                .statusCode(200)
                .body("isSuccess", equalTo(true))
                .body("size()", equalTo(1));
        remove("demo", created.get("sessionId")).statusCode(404).body("resourceType", equalTo("token"));
        get("demo", created.get("sessionId")).statusCode(404).body("resourceType", equalTo("token"));
    }

    @Test
    void sessionIdBeginsWithTheExpiryTimeAndTtlIsItsWholeSeconds() {
        Map<String, String> created = create("demo");
        UUID sessionId = UUID.fromString(created.get("sessionId"));
        assertThat(sessionId.version()).isEqualTo(8);
        assertThat(sessionId.variant()).isEqualTo(2);
        long expiryMillis = sessionId.getMostSignificantBits() >>> 16;
        assertThat(created).containsEntry("ttl", Long.toString(expiryMillis / 1000));
        // The default, by the database's clock, which here is this machine's.
        assertThat(Instant.ofEpochMilli(expiryMillis))
                .isBetween(Instant.now().plusSeconds(290), Instant.now().plusSeconds(301));
    }

    @Test
    void sessionIdIsAcceptedInUpperCase() {
        Map<String, String> created = create("demo");
        assertThat(read("demo", created.get("sessionId").toUpperCase(Locale.ROOT)))
                .isEqualTo(created);
    }

    /** As some clients send with every call, and one of them signs. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "application/json",
                "text/plain; charset=utf-8",
                "application/x-www-form-urlencoded",
                "application/x-amz-json-1.1",
                "multipart/form-data; boundary=x",
                "json",
                "/"
            })
    void emptyBodyOfAnyTypeIsNone(String type) throws IOException {
        for (boolean chunked : List.of(true, false)) {
            RawHttp.Reply reply =
                    RawHttp.sendBody("POST", "/prod/backend/demo/challenge", "", chunked, "Content-Type: " + type);
            assertThat(reply.status()).as(type + reply).isEqualTo(200);
        }
        assertThat(RawHttp.send("POST", "/prod/backend/demo/challenge", "Content-Type: " + type)
                        .status())
                .isEqualTo(200);
        assertThat(SignedRequest.of("POST", "/prod/backend/demo/challenge", "")
                        .with("Content-Type", _ -> type)
                        .send()
                        .status())
                .isEqualTo(200);
        String session = create("demo").get("sessionId");
        assertThat(RawHttp.sendBody(
                                "POST",
                                "/prod/backend/demo/challenge/" + session + "/redeem",
                                "",
                                false,
                                "Content-Type: " + type)
                        .status())
                .isEqualTo(400);
    }

    @Test
    void unknownAppIs404AboutTheApp() {
        call().post("/prod/backend/nosuchapp/challenge")
                .then()
                .statusCode(404)
                .header("x-amzn-ErrorType", "NotFoundException")
                .body("resourceType", equalTo("app"));
    }

    @Test
    void sessionOfAnotherAppIs404AndStaysUntouched() {
        Map<String, String> created = create("demo");
        get("other", created.get("sessionId")).statusCode(404).body("resourceType", equalTo("token"));
        remove("other", created.get("sessionId")).statusCode(404).body("resourceType", equalTo("token"));
        assertThat(read("demo", created.get("sessionId"))).isEqualTo(created);
    }

    @Test
    void sessionThatNeverWasIs404() {
        get("demo", UUID.randomUUID().toString()).statusCode(404).body("resourceType", equalTo("token"));
    }

    @Test
    void malformedSessionIdIs400() {
        get("demo", "not-a-uuid").statusCode(400).body("message", startsWith("sessionId"));
    }

    @Test
    void expiredTokenIs404() {
        TestDatabase.register("shortlived", 5);
        Map<String, String> created = create("shortlived");
        assertThat(read("shortlived", created.get("sessionId"))).isEqualTo(created);
        TestDatabase.query("SELECT pg_sleep(5.1)");
        get("shortlived", created.get("sessionId")).statusCode(404);
        remove("shortlived", created.get("sessionId")).statusCode(404);
    }

    @Test
    void appsTtlCountsForItsTokens() {
        TestDatabase.register("patient", 3600);
        long ttl = Long.parseLong(create("patient").get("ttl"));
        assertThat(Instant.ofEpochSecond(ttl))
                .isBetween(Instant.now().plusSeconds(3590), Instant.now().plusSeconds(3601));
    }

    @Test
    void headConsumesNothing() {
        Map<String, String> created = create("demo");
        given().header("Authorization", bearer())
                .head("/prod/backend/demo/challenge/" + created.get("sessionId"))
                .then()
                .statusCode(200);
        assertThat(read("demo", created.get("sessionId"))).isEqualTo(created);
    }

    @Test
    void plainOptionsIs200WithoutABody() {
        String session = UUID.randomUUID().toString();
        for (String path : List.of("", "/" + session, "/" + session + "/remove")) {
            call().options("/prod/backend/demo/challenge" + path)
                    .then()
                    .statusCode(200)
                    .body(emptyString())
                    .header("Cache-Control", "no-store")
                    .header("x-amzn-RequestId", matchesPattern("[0-9a-f-]{36}"));
        }
    }

    @Test
    void eachOfManyConcurrentCreatesGetsItsOwnToken() throws Exception {
        int creates = 500;
        Set<String> codes = new HashSet<>();
        List<String> sessions = new ArrayList<>();
        try (ExecutorService clients = Executors.newFixedThreadPool(32)) {
            Callable<Map<String, String>> create = () -> {
                Map<String, String> created = create("demo");
                assertThat(read("demo", created.get("sessionId"))).isEqualTo(created);
                return created;
            };
            for (Future<Map<String, String>> one : clients.invokeAll(
                    IntStream.range(0, creates).mapToObj(i -> create).toList())) {
                Map<String, String> created = one.get();
                codes.add(created.get("challengeCode"));
                sessions.add(created.get("sessionId"));
            }
        }
        assertThat(codes).hasSize(creates);
        assertThat(TestDatabase.query("SELECT count(DISTINCT salt) FROM challenge_session WHERE session_id IN ('"
                        + String.join("', '", sessions) + "')"))
                .containsExactly("" + creates);
    }

    @Test
    void unknownAppAmongConcurrentCreatesFailsAlone() throws Exception {
        try (ExecutorService clients = Executors.newFixedThreadPool(16)) {
            List<Future<Integer>> replies = IntStream.range(0, 200)
                    .mapToObj(i -> clients.submit(
                            () -> call().post("/prod/backend/" + (i % 4 == 0 ? "nosuchapp" : "demo") + "/challenge")
                                    .statusCode()))
                    .toList();
            for (int i = 0; i < replies.size(); i++) {
                assertThat(replies.get(i).get()).isEqualTo(i % 4 == 0 ? 404 : 200);
            }
        }
    }

    @Test
    void concurrentRemovalsOfOneTokenSucceedOnce() throws Exception {
        for (int round = 0; round < 50; round++) {
            String session = create("demo").get("sessionId");
            try (ExecutorService clients = Executors.newFixedThreadPool(8)) {
                List<Future<Integer>> replies = IntStream.range(0, 8)
                        .mapToObj(i -> clients.submit(
                                () -> remove("demo", session).extract().statusCode()))
                        .toList();
                int successes = 0;
                for (Future<Integer> reply : replies) {
                    successes += reply.get() == 200 ? 1 : 0;
                }
                assertThat(successes).isEqualTo(1);
            }
        }
    }
}
