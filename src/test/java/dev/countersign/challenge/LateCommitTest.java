package dev.countersign.challenge;

import static dev.countersign.support.Contract.call;
import static dev.countersign.support.Tokens.create;
import static dev.countersign.support.Tokens.redeem;
import static dev.countersign.support.Tokens.remove;
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
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
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

    /** The server has nothing left to do but to make it durable, which no timeout ends. */
    @BeforeEach
    void commitsTakeLong() {
        TestDatabase.execute("""
                CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(2.5); RETURN NULL; END';
                CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT OR UPDATE ON challenge_session
                    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.app_id = 'late') EXECUTE FUNCTION dawdle();
                """);
    }

    @AfterEach
    void commitsTakeTheirUsualTime() {
        TestDatabase.execute("DROP FUNCTION dawdle() CASCADE");
    }

    @Test
    void createIsAuditedAndCounted() {
        TestDatabase.register("late");
        double before = count("issued");
        String requestId = late(call().post("/prod/backend/late/challenge").then());
        awaitAudited(requestId + " issue done tester late");
        await().untilAsserted(() -> assertThat(count("issued") - before).isEqualTo(1));
    }

    @Test
    void redeemIsAuditedAndCounted() {
        Map<String, String> token = createLate();
        double before = count("redeemed");
        String requestId = late(redeem("late", token.get("sessionId"), token.get("challengeCode")));
        awaitAudited(requestId + " redeem done tester late");
        await().untilAsserted(() -> assertThat(count("redeemed") - before).isEqualTo(1));
    }

    @Test
    void wrongCodeIsAuditedAndCounted() {
        Map<String, String> token = createLate();
        double before = count("refused");
        String requestId = late(redeem("late", token.get("sessionId"), "wrong"));
        awaitAudited(requestId + " redeem refused tester late");
        await().untilAsserted(() -> assertThat(count("refused") - before).isEqualTo(1));
    }

    @Test
    void removalIsAuditedAndCounted() {
        TestDatabase.execute("DROP TRIGGER dawdle ON challenge_session");
        TestDatabase.execute("""
                CREATE CONSTRAINT TRIGGER dawdle AFTER DELETE ON challenge_session
                    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.app_id = 'late') EXECUTE FUNCTION dawdle()
                """);
        TestDatabase.register("late");
        Map<String, String> token = create("late");
        double before = count("removed");
        String requestId = late(remove("late", token.get("sessionId")));
        awaitAudited(requestId + " remove done tester late");
        await().untilAsserted(() -> assertThat(count("removed") - before).isEqualTo(1));
    }

    private static Map<String, String> createLate() {
        TestDatabase.register("late");
        TestDatabase.execute("ALTER TABLE challenge_session DISABLE TRIGGER dawdle");
        Map<String, String> token = create("late");
        TestDatabase.execute("ALTER TABLE challenge_session ENABLE TRIGGER dawdle");
        return token;
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
