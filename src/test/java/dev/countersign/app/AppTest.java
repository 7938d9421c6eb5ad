package dev.countersign.app;

import static dev.countersign.support.Contract.call;
import static dev.countersign.support.Tokens.create;
import static dev.countersign.support.Tokens.get;
import static dev.countersign.support.Tokens.redeem;
import static dev.countersign.support.Tokens.remove;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.nullValue;
import static org.hamcrest.Matchers.startsWith;

import dev.countersign.support.ServiceTest;
import dev.countersign.support.TestDatabase;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.path.json.JsonPath;
import io.restassured.response.ValidatableResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The registry of apps, and what a token owes to it. */
@QuarkusTest
class AppTest extends ServiceTest {

    @AfterEach
    void deleteApps() {
        TestDatabase.execute("DELETE FROM app WHERE app_id NOT IN ('demo', 'other')");
    }

    /** However many there are, and whatever is first among them. */
    @Test
    void pageIsARangeOfAnIndex() {
        TestDatabase.execute(
                "INSERT INTO app (app_id) SELECT 'many' || lpad(n::text, 6, '0') FROM generate_series(1, 300000) AS n");
        TestDatabase.execute("ANALYZE app");
        try {
            Instant before = Instant.now();
            JsonPath page = call().get("/prod/apps?limit=2&nextToken=" + PageCursor.after("many299998"))
                    .jsonPath();
            assertThat(page.getList("apps.appId")).contains("many299999");
            assertThat(Duration.between(before, Instant.now())).isLessThan(Duration.ofMillis(500));
        } finally {
            TestDatabase.execute("DELETE FROM app WHERE app_id LIKE 'many%'");
            TestDatabase.execute("ANALYZE app");
        }
    }

    @Test
    void appIsRegisteredChangedReadAndDeleted() {
        put("blog", "{\"displayName\":\"Das Blög 🖋\",\"ttlSeconds\":60,\"createTokenPerMinute\":5}")
                .statusCode(201)
                .body("appId", equalTo("blog"))
                .body("displayName", equalTo("Das Blög 🖋"))
                .body("ttlSeconds", equalTo(60))
                .body("createTokenPerMinute", equalTo(5));
        String createdAt = app("blog").statusCode(200).extract().path("createdAt");
        assertThat(Instant.parse(createdAt))
                .isBetween(Instant.now().minusSeconds(60), Instant.now().plusSeconds(1));

        put("blog", "{}")
                .statusCode(200)
                .body("displayName", nullValue())
                .body("ttlSeconds", nullValue())
                .body("createdAt", equalTo(createdAt));

        call().delete("/prod/apps/blog").then().statusCode(204).body(equalTo(""));
        app("blog").statusCode(404).body("resourceType", equalTo("app"));
        call().delete("/prod/apps/blog").then().statusCode(404).body("resourceType", equalTo("app"));
    }

    @Test
    void tokensLiveAsLongAsTheirAppSays() {
        put("blog", "{\"ttlSeconds\":3600}").statusCode(201);
        assertThat(secondsToLive(create("blog"))).isBetween(3590L, 3600L);
        put("blog", "{\"ttlSeconds\":10}").statusCode(200);
        assertThat(secondsToLive(create("blog"))).isBetween(5L, 10L);
        put("blog", "{}").statusCode(200);
        assertThat(secondsToLive(create("blog"))).isBetween(290L, 300L);
    }

    @Test
    void tokensOfADeletedAppAreGoneAtOnceAndForEver() {
        put("blog", "{}").statusCode(201);
        Map<String, String> token = create("blog");
        String session = token.get("sessionId");
        get("blog", session).statusCode(200);

        call().delete("/prod/apps/blog").then().statusCode(204);
        assertUnreachable(session, token.get("challengeCode"));
        call().post("/prod/backend/blog/challenge").then().statusCode(404).body("resourceType", equalTo("app"));

        put("blog", "{}").statusCode(201);
        assertUnreachable(session, token.get("challengeCode"));
        get("blog", create("blog").get("sessionId")).statusCode(200);
    }

    @Test
    void appsAreListedWhileAMigrationAddsAColumn() {
        listOften();
        TestDatabase.execute("ALTER TABLE app ADD COLUMN next_version text");
        try {
            listOften();
        } finally {
            TestDatabase.execute("ALTER TABLE app DROP COLUMN next_version");
        }
    }

    /** So often that connections have the statement prepared. */
    private static void listOften() {
        for (int i = 0; i < 50; i++) {
            call().get("/prod/apps").then().statusCode(200);
        }
    }

    @Test
    void oneOfSeveralRegistrationsAtOnceIsTheFirst() throws Exception {
        Callable<Integer> put = () -> put("wiki", "{}").extract().statusCode();
        List<Integer> statuses = new ArrayList<>();
        try (ExecutorService callers = Executors.newFixedThreadPool(8)) {
            for (Future<Integer> status : callers.invokeAll(java.util.Collections.nCopies(8, put))) {
                statuses.add(status.get());
            }
        }
        assertThat(statuses).containsOnly(200, 201).containsOnlyOnce(201);
    }

    @Test
    void oneOfSeveralDeletionsAtOnceDeletes() throws Exception {
        Callable<Integer> delete = () -> call().delete("/prod/apps/wiki").statusCode();
        try (ExecutorService callers = Executors.newFixedThreadPool(8)) {
            for (int round = 0; round < 20; round++) {
                put("wiki", "{}").statusCode(201);
                List<Integer> statuses = new ArrayList<>();
                for (Future<Integer> status : callers.invokeAll(java.util.Collections.nCopies(8, delete))) {
                    statuses.add(status.get());
                }
                assertThat(statuses).containsOnly(204, 404).containsOnlyOnce(204);
            }
        }
    }

    @Test
    void listIsReadAPageAtATime() {
        for (String app : List.of("blog", "shop", "wiki")) {
            put(app, "{}").statusCode(201);
        }
        List<String> seen = new ArrayList<>();
        String next = "";
        while (next != null) {
            JsonPath page = call().get("/prod/apps?limit=2" + (next.isEmpty() ? "" : "&nextToken=" + next))
                    .then()
                    .statusCode(200)
                    .extract()
                    .jsonPath();
            List<String> ids = page.getList("apps.appId");
            assertThat(ids).hasSizeBetween(1, 2);
            seen.addAll(ids);
            next = page.getString("nextToken");
        }
        assertThat(seen).doesNotHaveDuplicates().isSorted().contains("blog", "demo", "other", "shop", "wiki");
        assertThat(call().get("/prod/apps").jsonPath().getList("apps.appId", String.class))
                .isEqualTo(seen);
    }

    /** The contract's bounds may not move unnoticed; whoever keeps to them must be served. */
    @Test
    void extremesAreAccepted() {
        String longest = "z".repeat(64);
        put(longest, "{\"displayName\":\"" + "x".repeat(128) + "\",\"ttlSeconds\":1,\"createTokenPerMinute\":1}")
                .statusCode(201);
        put(longest, "{\"ttlSeconds\":3600,\"createTokenPerMinute\":60000000}").statusCode(200);
        call().get("/prod/apps?limit=100&nextToken=" + PageCursor.after("a".repeat(64)))
                .then()
                .statusCode(200);
        for (int i = 0; i < 50; i++) {
            TestDatabase.register("paged" + i);
        }
        JsonPath page = call().get("/prod/apps").jsonPath();
        assertThat(page.getList("apps")).hasSize(50);
        assertThat(page.getString("nextToken")).isNotNull();
    }

    @Test
    void badRequestNamesWhatIsWrong() {
        put("blog", "{\"ttlSeconds\":0}").statusCode(400).body("message", startsWith("ttlSeconds "));
        put("blog", "{\"ttlSeconds\":3601}").statusCode(400).body("message", startsWith("ttlSeconds "));
        put("blog", "{\"ttlSeconds\":\"60\"}").statusCode(400).body("message", startsWith("ttlSeconds "));
        put("blog", "{\"ttlSeconds\":1.5}").statusCode(400).body("message", startsWith("ttlSeconds "));
        put("blog", "{\"ttlSeconds\":99999999999}").statusCode(400);
        put("blog", "{\"createTokenPerMinute\":0}")
                .statusCode(400)
                .body("message", startsWith("createTokenPerMinute "));
        put("blog", "{\"createTokenPerMinute\":60000001}")
                .statusCode(400)
                .body("message", startsWith("createTokenPerMinute "));
        put("blog", "{\"displayName\":\"\"}").statusCode(400).body("message", startsWith("displayName "));
        put("blog", "{\"displayName\":\"a\\u0000b\"}").statusCode(400).body("message", startsWith("displayName "));
        put("blog", "{\"displayName\":\"\\ud800\"}").statusCode(400).body("message", startsWith("displayName "));
        put("blog", "{\"displayName\":\"" + "x".repeat(129) + "\"}").statusCode(400);
        put("blog", "{\"appId\":\"blog\"}").statusCode(400).body("message", startsWith("appId "));
        put("blog", "[]").statusCode(400);
        put("blog", "").statusCode(400);
        put("UPPER", "{}").statusCode(400).body("message", startsWith("appId "));
        for (String query : List.of("limit=0", "limit=101", "limit=x", "limit=99999999999")) {
            call().get("/prod/apps?" + query).then().statusCode(400);
        }
        for (String token : List.of("demo", "UPPER", "MQ", "MURFTU8", "MmRlbW8", "x".repeat(128))) {
            call().get("/prod/apps?nextToken=" + token)
                    .then()
                    .statusCode(400)
                    .body("message", startsWith("nextToken must be "));
        }
        app("blog").statusCode(404);
    }

    /** As the configuration of the tests says, which is the default: five minutes, and no limit. */
    @Test
    void appShowsWhatHoldsForIt() {
        put("blog", "{}")
                .statusCode(201)
                .body("ttlSeconds", nullValue())
                .body("effectiveTtlSeconds", equalTo(300))
                .body("effectiveCreateTokenPerMinute", nullValue());
        put("blog", "{\"ttlSeconds\":60,\"createTokenPerMinute\":5}")
                .statusCode(200)
                .body("effectiveTtlSeconds", equalTo(60))
                .body("effectiveCreateTokenPerMinute", equalTo(5));
        app("blog").body("effectiveTtlSeconds", equalTo(60)).body("effectiveCreateTokenPerMinute", equalTo(5));
        JsonPath listed = call().get("/prod/apps?limit=1").jsonPath();
        assertThat(listed.getInt("apps[0].effectiveTtlSeconds")).isEqualTo(60);
        assertThat(listed.getInt("apps[0].effectiveCreateTokenPerMinute")).isEqualTo(5);
    }

    /** Nothing that a client could take for an app's ID, and come to rely on. */
    @Test
    void cursorIsOpaque() {
        String cursor = call().get("/prod/apps?limit=1").jsonPath().getString("nextToken");
        assertThat(cursor).isNotNull().doesNotContain("demo");
    }

    private static void assertUnreachable(String session, String code) {
        get("blog", session).statusCode(404);
        remove("blog", session).statusCode(404);
        redeem("blog", session, code).statusCode(404);
    }

    private static long secondsToLive(Map<String, String> token) {
        return Long.parseLong(token.get("ttl")) - Instant.now().getEpochSecond();
    }

    private static ValidatableResponse app(String appId) {
        return call().get("/prod/apps/" + appId).then();
    }

    private static ValidatableResponse put(String appId, String body) {
        return call().contentType("application/json")
                .body(body)
                .put("/prod/apps/" + appId)
                .then();
    }
}
