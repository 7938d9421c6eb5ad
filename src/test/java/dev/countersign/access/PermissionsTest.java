package dev.countersign.access;

import static dev.countersign.support.Contract.callAs;
import static dev.countersign.support.Tokens.create;
import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.ServiceTest;
import dev.countersign.support.TestDatabase;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.Response;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Every principal tries every operation on every app; what it may is what its permissions and apps say. */
@QuarkusTest
class PermissionsTest extends ServiceTest {

    /** That a token's status may be asked for follows from two of them. */
    private static final Set<String> ALL = Set.of("issue", "delegate", "read", "status", "remove", "redeem", "admin");

    private static final Map<String, Set<String>> PERMISSIONS = Map.of(
            "issuer", Set.of("issue", "status"),
            "delegate", Set.of("issue", "delegate", "status"),
            "reader", Set.of("read", "status"),
            "remover", Set.of("remove"),
            "redeemer", Set.of("redeem"),
            "admin", Set.of("admin"),
            "prefixed", ALL,
            "foreigner", ALL,
            "stranger", Set.of());

    private static final Map<String, Set<String>> APPS = Map.of(
            "issuer", Set.of("demo"),
            "delegate", Set.of("demo"),
            "reader", Set.of("demo"),
            "remover", Set.of("demo"),
            "redeemer", Set.of("demo"),
            "admin", Set.of("demo"),
            "prefixed", Set.of("demo", "demeter"),
            "foreigner", Set.of("other"),
            "stranger", Set.of());

    @Test
    void principalMayExactlyWhatItsPermissionsAndAppsSay() {
        TestDatabase.register("demeter");
        List<String> wrong = new ArrayList<>();
        int tried = 0;
        for (String principal : PERMISSIONS.keySet()) {
            for (String app : List.of("demo", "demeter", "other", "unregistered")) {
                for (String permission : ALL) {
                    boolean may = PERMISSIONS.get(principal).contains(permission)
                            && APPS.get(principal).contains(app);
                    List<Response> replies = attempts(permission, principal, app);
                    if (permission.equals("admin") && !app.equals("unregistered")) {
                        TestDatabase.register(app);
                    }
                    for (Response reply : replies) {
                        boolean refused = reply.statusCode() == 403
                                && reply.header("x-amzn-ErrorType").equals("AccessDeniedException");
                        tried++;
                        if (refused == may) {
                            wrong.add(principal + " " + permission + " " + app + " got " + reply.statusCode());
                        }
                    }
                }
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(tried).isEqualTo(9 * 4 * 9);
    }

    @Test
    void listShowsOnlyAdministeredApps() {
        TestDatabase.register("demeter");
        assertThat(listOf("admin")).containsExactly("demo");
        assertThat(listOf("prefixed")).contains("demo", "demeter").doesNotContain("other");
        assertThat(callAs("reader").get("/prod/apps").statusCode()).isEqualTo(403);
    }

    private static List<String> listOf(String principal) {
        return callAs(principal)
                .get("/prod/apps")
                .then()
                .statusCode(200)
                .extract()
                .jsonPath()
                .getList("apps.appId");
    }

    private static List<Response> attempts(String permission, String principal, String app) {
        // A session of the app where there can be one, so that a refusal isn't for want of it.
        String session = "019ab3f2-6c40-8f21-9d3e-5a0c7b1e2f43";
        String challenge = "/prod/backend/" + app + "/challenge";
        return switch (permission) {
            case "issue" -> List.of(callAs(principal).post(challenge));
            case "delegate" ->
                List.of(callAs(principal)
                        .contentType("application/json")
                        .body(Map.of("subject", "operator@example.com"))
                        .post(challenge));
            case "status" -> List.of(callAs(principal).get(challenge + "/" + session + "/status"));
            case "read" ->
                List.of(callAs(principal)
                        .get(challenge + "/" + (app.equals("demo") ? create(app).get("sessionId") : session)));
            case "remove" -> List.of(callAs(principal).post(challenge + "/" + session + "/remove"));
            case "redeem" ->
                List.of(callAs(principal)
                        .contentType("application/json")
                        .body(Map.of("challengeCode", "x"))
                        .post(challenge + "/" + session + "/redeem"));
            default ->
                List.of(
                        callAs(principal).get("/prod/apps/" + app),
                        callAs(principal)
                                .contentType("application/json")
                                .body("{\"ttlSeconds\":0}")
                                .put("/prod/apps/" + app),
                        callAs(principal).delete("/prod/apps/" + app));
        };
    }
}
