package dev.countersign.limit;

import static dev.countersign.support.Contract.call;
import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.ServiceTest;
import dev.countersign.support.TestDatabase;
import dev.countersign.support.Tokens;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A limit that is told after its caller has gone lets nothing be done any more. */
@QuarkusTest
@TestProfile(LateLimitTest.Impatient.class)
class LateLimitTest extends ServiceTest {

    /** For the answer; the database may take longer. */
    public static class Impatient implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("countersign.request-timeout", "PT2S", "countersign.limit.remove-per-minute", "600");
        }
    }

    @Test
    void whatIsAdmittedTooLateIsNotDone() throws SQLException, InterruptedException {
        TestDatabase.register("late");
        String session = Tokens.create("late").get("sessionId");
        String path = "/prod/backend/late/challenge/" + session;
        try (Connection other = TestDatabase.connect();
                Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            // Whether the app is registered is asked first.
            statement.execute("LOCK TABLE app");
            call().post(path + "/remove").then().statusCode(504);
        }
        Thread.sleep(Duration.ofSeconds(1));
        assertThat(TestDatabase.query("SELECT state FROM challenge_session WHERE session_id = '" + session + "'"))
                .containsExactly("issued");
        call().post(path + "/remove").then().statusCode(200);
    }
}
