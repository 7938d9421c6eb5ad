package dev.countersign.challenge;

import static dev.countersign.support.Contract.call;
import static dev.countersign.support.Tokens.create;
import static dev.countersign.support.Tokens.redeem;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.countersign.support.ServiceTest;
import dev.countersign.support.TestDatabase;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.restassured.response.ValidatableResponse;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.logging.Handler;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.jboss.logmanager.ExtHandler;
import org.jboss.logmanager.ExtLogRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What commits after its caller has got a 504 is in the audit and in the counts all the same. */
@QuarkusTest
@TestProfile(LateCommitTest.Impatient.class)
class LateCommitTest extends ServiceTest {

    private final List<String> audited = new CopyOnWriteArrayList<>();
    private final Logger log = Logger.getLogger("countersign.audit");
    private final Handler handler = new ExtHandler() {
        @Override
        protected void doPublish(ExtLogRecord line) {
            audited.add(String.join(
                    " ",
                    Stream.of("requestId", "event", "outcome", "principal", "app")
                            .map(line::getMdc)
                            .toList()));
        }
    };

    @Inject
    MeterRegistry metrics;

    /** For the answer; the database may take longer. */
    public static class Impatient implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("countersign.request-timeout", "PT2S");
        }
    }

    @BeforeEach
    void listen() {
        log.addHandler(handler);
    }

    @AfterEach
    void stopListening() {
        log.removeHandler(handler);
    }

    @Test
    void createIsAuditedAndCounted() throws SQLException {
        double before = count("issued");
        String requestId;
        try (Connection other = TestDatabase.connect();
                Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute("LOCK TABLE challenge_session IN SHARE MODE");
            requestId = late(call().post("/prod/backend/demo/challenge").then());
        }
        awaitAudited(requestId + " issue done tester demo");
        assertThat(count("issued") - before).isEqualTo(1);
    }

    @Test
    void redeemIsAuditedAndCounted() throws SQLException {
        Map<String, String> token = create("demo");
        double before = count("redeemed");
        String requestId;
        try (Connection other = TestDatabase.connect();
                Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute(
                    "SELECT FROM challenge_session WHERE session_id = '" + token.get("sessionId") + "' FOR UPDATE");
            requestId = late(redeem("demo", token.get("sessionId"), token.get("challengeCode")));
        }
        awaitAudited(requestId + " redeem done tester demo");
        assertThat(count("redeemed") - before).isEqualTo(1);
    }

    /** Here it is the look-up and the attempt together that take too long. */
    @Test
    void wrongCodeIsAuditedAndCounted() throws Exception {
        TestDatabase.register("guessed");
        Map<String, String> token = create("guessed");
        double before = count("refused");
        String requestId;
        try (Connection other = TestDatabase.connect();
                Statement statement = other.createStatement();
                ExecutorService caller = Executors.newSingleThreadExecutor()) {
            other.setAutoCommit(false);
            statement.execute(
                    "SELECT FROM challenge_session WHERE session_id = '" + token.get("sessionId") + "' FOR UPDATE");
            statement.execute("SAVEPOINT row_locked; LOCK TABLE challenge_session");
            Future<String> reply = caller.submit(() -> late(redeem("guessed", token.get("sessionId"), "wrong")));
            statement.execute("SELECT pg_sleep(1.5); ROLLBACK TO SAVEPOINT row_locked");
            requestId = reply.get();
        }
        awaitAudited(requestId + " redeem refused tester guessed");
        assertThat(count("refused") - before).isEqualTo(1);
    }

    private static String late(ValidatableResponse reply) {
        return reply.statusCode(504).extract().header("x-amzn-RequestId");
    }

    private void awaitAudited(String line) {
        await().atMost(Duration.ofSeconds(10))
                .untilAsserted(() -> assertThat(audited).contains(line));
    }

    private double count(String outcome) {
        return metrics.get("countersign.tokens")
                .tag("outcome", outcome)
                .counter()
                .count();
    }
}
