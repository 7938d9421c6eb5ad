package dev.countersign.challenge;

import static dev.countersign.challenge.SubjectTest.created;
import static dev.countersign.challenge.VerifierTest.CHALLENGE;
import static dev.countersign.challenge.VerifierTest.OTHER_VERIFIER;
import static dev.countersign.challenge.VerifierTest.VERIFIER;
import static dev.countersign.support.Contract.call;
import static java.util.Collections.nCopies;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.countersign.access.Audit;
import dev.countersign.challenge.RedeemHistory.Kind;
import dev.countersign.challenge.RedeemHistory.Operation;
import dev.countersign.challenge.RedeemHistory.Outcome;
import dev.countersign.error.NoSuchResourceException;
import dev.countersign.error.UnavailableException;
import dev.countersign.http.RequestBudget;
import dev.countersign.limit.AppLimits;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceTest;
import dev.countersign.support.TestDatabase;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.restassured.RestAssured;
import io.smallrye.common.vertx.VertxContext;
import io.vertx.core.Vertx;
import jakarta.inject.Inject;
import java.net.URI;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiPredicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What each guard in the statements of a redeem is for: without it, the judge of histories finds a violation, and with
 * it none, in the same situation. The situations are made, not hoped for: a row that the test has locked holds the calls
 * up until all of them have read it.
 */
@QuarkusTest
@TestProfile(RedeemMutantsTest.Patient.class)
class RedeemMutantsTest extends ServiceTest {

    /** A lock is waited for long enough to make any situation. */
    public static class Patient implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of("countersign.request-timeout", "PT200S");
        }
    }

    private static final int CLIENTS = 8;
    private static final String REDEEM = ChallengeSessionRepository.REDEEM;
    private static final String COUNT = ChallengeSessionRepository.COUNT_ATTEMPTS;

    private final RedeemHistory history = new RedeemHistory(5);

    @Inject
    AppLimits limits;

    @Inject
    ChallengeKeys keys;

    @Inject
    ChallengeConfig config;

    @Inject
    StatementTimeouts timeouts;

    @Inject
    Citus citus;

    @Inject
    RequestBudget budget;

    @Inject
    Vertx vertx;

    @Test
    void withoutTheGuardOnStateACodeWorksTwice() throws Exception {
        String mutant = without("AND state = 'issued'", "", REDEEM);
        assertThat(redeemTogether(REDEEM)).isEmpty();
        assertThat(redeemTogether(mutant)).anyMatch(violation -> violation.startsWith("redeemed twice"));
    }

    @Test
    void readThenWriteLetsACodeWorkTwice() throws Exception {
        String mutant = without(
                "WITH redeemed AS (\n    UPDATE challenge_session\n",
                """
                WITH seen AS MATERIALIZED (
                    SELECT app_id AS seen_app, session_id AS seen_session, state AS seen_state
                      FROM challenge_session),
                redeemed AS (
                    UPDATE challenge_session
                """,
                without(
                        "WHERE app_id = ANY (ARRAY[attempt.app]) AND session_id = attempt.session\n       AND state = 'issued'",
                        ", seen WHERE app_id = attempt.app AND session_id = attempt.session"
                                + " AND seen_app = app_id AND seen_session = session_id AND seen_state = 'issued'",
                        REDEEM));
        assertThat(redeemTogether(mutant)).anyMatch(violation -> violation.startsWith("redeemed twice"));
    }

    @Test
    void withoutTheGuardsOnExpiryACodeWorksAfterIt() throws Exception {
        String mutant = without("AND (expires_at > statement_timestamp()) IS TRUE", "", withoutTheLateLook());
        assertThat(redeemAcrossTheExpiry(REDEEM, Connection::commit)).isEqualTo(Outcome.REFUSED);
        assertThat(redeemAcrossTheExpiry(mutant, Connection::commit)).isEqualTo(Outcome.DONE);
    }

    /** The one that held the row gives it back as it was, when its time is over. */
    @Test
    void withoutTheLateLookACodeWorksAfterAWaitPastItsExpiry() throws Exception {
        assertThat(redeemAcrossTheExpiry(REDEEM, Connection::rollback)).isEqualTo(Outcome.REFUSED);
        assertThat(redeemAcrossTheExpiry(withoutTheLateLook(), Connection::rollback))
                .isEqualTo(Outcome.DONE);
    }

    @Test
    void attemptsThatAreNotCountedNeverLock() {
        String mutant = without(
                "SET attempts = least(attempts + wrong.times, :maxAttempts),", "SET attempts = attempts,", COUNT);
        assertThat(redeemAfterWrongOnes(service(5, REDEEM, COUNT))).isEmpty();
        assertThat(redeemAfterWrongOnes(service(5, REDEEM, mutant)))
                .anyMatch(violation -> violation.startsWith("a success after the lock"));
    }

    @Test
    void attemptsThatAreReadThenWrittenGetLost() throws Exception {
        String mutant = without(
                "SET attempts = least(attempts + wrong.times, :maxAttempts),",
                "SET attempts = (SELECT seen.attempts + wrong.times FROM challenge_session seen"
                        + " WHERE seen.session_id = challenge_session.session_id),",
                COUNT);
        assertThat(redeemAfterWrongOnesTogether(COUNT)).isEmpty();
        assertThat(redeemAfterWrongOnesTogether(mutant))
                .anyMatch(violation -> violation.startsWith("a success after the lock"));
    }

    @Test
    void lockThatNeverComesLeavesTheTokenReadable() {
        String mutant = without(
                "CASE WHEN attempts + wrong.times < :maxAttempts THEN state ELSE 'locked' END",
                "state",
                without(
                        "CASE WHEN attempts + wrong.times < :maxAttempts THEN salt END",
                        "salt",
                        without(
                                "CASE WHEN attempts + wrong.times < :maxAttempts THEN NULL ELSE time.now END",
                                "NULL",
                                COUNT)));
        assertThat(readAfterWrongOnes(COUNT)).isEmpty();
        assertThat(readAfterWrongOnes(mutant)).anyMatch(violation -> violation.startsWith("a success after the lock"));
    }

    /** The lock covers it, unless the cap was higher when the attempts were counted. */
    @Test
    void withoutTheGuardOnAttemptsALoweredCapIsNone() {
        String mutant = without("AND attempts < :maxAttempts", "AND :maxAttempts > 0", REDEEM);
        assertThat(redeemAfterTheCapWasLowered(REDEEM)).isEmpty();
        assertThat(redeemAfterTheCapWasLowered(mutant))
                .anyMatch(violation -> violation.startsWith("a success after the lock"));
    }

    @Test
    void databaseItselfRefusesAnEndThatKeepsTheSalt() {
        String redeem = without("state = 'redeemed', salt = NULL,", "state = 'redeemed',", REDEEM);
        String count = without("CASE WHEN attempts + wrong.times < :maxAttempts THEN salt END", "salt", COUNT);
        ChallengeService service = service(1, redeem, count);
        Token token = create("demo");
        for (String code : List.of(token.code(), "wrong")) {
            assertThatThrownBy(() -> redeemNow(service, attempt(token, code)))
                    .isInstanceOf(UnavailableException.class)
                    .rootCause()
                    .hasMessageContaining("violates check constraint");
        }
    }

    /** Its tokens end with an app, even one that was found alive just before. */
    @Test
    void withoutTheGuardOnTheGenerationACodeOutlivesItsApp() {
        String mutant = without(
                "AND app_generation = (SELECT generation FROM app WHERE app.app_id = challenge_session.app_id)",
                "",
                REDEEM);
        TestDatabase.register("leaving");
        Token token = create("leaving");
        TestDatabase.execute("DELETE FROM app WHERE app_id = 'leaving'");
        RedeemAttempt attempt = attempt(token, token.code());
        assertThat(redeems(REDEEM, attempt)).isFalse();
        TestDatabase.register("leaving");
        assertThat(redeems(REDEEM, attempt)).isFalse();
        assertThat(redeems(mutant, attempt)).isTrue();
    }

    @Test
    void withoutTheGuardOnTheVerifierACodeWorksForWhoeverHasIt() {
        BiPredicate<String, String> mutant = (_, _) -> true;
        assertThat(redeems(CHALLENGE, OTHER_VERIFIER, CodeChallenge::isMet)).isFalse();
        assertThat(redeems(CHALLENGE, OTHER_VERIFIER, mutant)).isTrue();
        assertThat(redeems(CHALLENGE, VERIFIER, CodeChallenge::isMet)).isTrue();
    }

    @Test
    void verifierThatNeedNotComeGuardsNothing() {
        BiPredicate<String, String> mutant =
                (challenge, verifier) -> verifier == null || CodeChallenge.isMet(challenge, verifier);
        assertThat(redeems(CHALLENGE, null, CodeChallenge::isMet)).isFalse();
        assertThat(redeems(CHALLENGE, null, mutant)).isTrue();
    }

    @Test
    void verifierThatIsNotAskedForHidesADroppedChallenge() {
        BiPredicate<String, String> mutant =
                (challenge, verifier) -> challenge == null || CodeChallenge.isMet(challenge, verifier);
        assertThat(redeems("", VERIFIER, CodeChallenge::isMet)).isFalse();
        assertThat(redeems("", VERIFIER, mutant)).isTrue();
    }

    @Test
    void attemptAtNothingIsATransactionThatCommitsLikeOneAtAToken() throws SQLException {
        String mutant = without("pg_logical_emit_message(true, 'countersign', '')", "NULL", COUNT);
        assertThat(writesForAnUnknownSession(COUNT)).isTrue();
        assertThat(writesForAnUnknownSession(mutant)).isFalse();
    }

    /** All find the token live; then each writes. */
    private List<String> redeemTogether(String redeem) throws Exception {
        Token token = create("demo");
        // A service each, as replicas are: within one, attempts at a code share a transaction.
        List<Runnable> redeems = Stream.generate(() -> service(5, redeem, COUNT))
                .limit(CLIENTS)
                .<Runnable>map(service -> () -> redeem(service, token))
                .toList();
        holdUp(token, redeems, () -> {});
        return history.violations();
    }

    /** It begins to wait for the row while the token lives. */
    private Outcome redeemAcrossTheExpiry(String redeem, Ending ending) throws Exception {
        // Long enough to be found alive on a busy machine.
        TestDatabase.register("shortlived", 3);
        ChallengeService service = service(5, redeem, COUNT);
        Token token = create("shortlived");
        Instant later = Instant.ofEpochMilli(RedeemHistory.expiry(UUID.fromString(token.session())) / 1_000_000)
                .plusMillis(50);
        AtomicReference<Outcome> outcome = new AtomicReference<>();
        holdUp(
                token,
                List.of(() -> outcome.set(redeem(service, token))),
                () -> await().until(() -> Instant.now().isAfter(later)),
                ending);
        return outcome.get();
    }

    private List<String> redeemAfterWrongOnes(ChallengeService service) {
        Token token = create("demo");
        nCopies(5, token).forEach(each -> redeemWrongly(service, each));
        redeem(service, token);
        return history.violations();
    }

    private List<String> redeemAfterWrongOnesTogether(String count) throws Exception {
        ChallengeService service = service(5, REDEEM, count);
        Token token = create("demo");
        List<Runnable> attempts = Stream.generate(() -> service(5, REDEEM, count))
                .limit(5)
                .<Runnable>map(replica -> () -> redeemWrongly(replica, token))
                .toList();
        holdUp(token, attempts, () -> {});
        redeem(service, token);
        return history.violations();
    }

    private List<String> readAfterWrongOnes(String count) {
        ChallengeService service = service(5, REDEEM, count);
        Token token = create("demo");
        nCopies(5, token).forEach(each -> redeemWrongly(service, each));
        try (RecordingClient client = client()) {
            client.read(token);
        }
        return history.violations();
    }

    private List<String> redeemAfterTheCapWasLowered(String redeem) {
        Token token = create("demo");
        nCopies(5, token).forEach(each -> redeemWrongly(service(6, REDEEM, COUNT), each));
        redeem(service(5, redeem, COUNT), token);
        return history.violations();
    }

    private ChallengeService service(int maxAttempts, String redeem, String count) {
        return service(sessions(maxAttempts, redeem, count), CodeChallenge::isMet);
    }

    private ChallengeService service(ChallengeSessionRepository sessions, BiPredicate<String, String> fits) {
        return new ChallengeService(
                keys, sessions, budget, new Audit(), limits, new TokenCounts(new SimpleMeterRegistry())) {
            @Override
            boolean verifierFits(String challenge, String verifier) {
                return fits.test(challenge, verifier);
            }
        };
    }

    /** Whether the right code redeems a token, with a guard on the verifier. */
    private boolean redeems(String challenge, String verifier, BiPredicate<String, String> verifierFits) {
        Map<String, String> token = created(
                SubjectTest.create(call(), challenge.isEmpty() ? Map.of() : Map.of("codeChallenge", challenge)));
        RedeemAttempt attempt = new RedeemAttempt(
                "demo", UUID.fromString(token.get("sessionId")), token.get("challengeCode"), verifier, "tester", null);
        try {
            redeemNow(service(sessions(5, REDEEM, COUNT), verifierFits), attempt);
            return true;
        } catch (NoSuchResourceException e) {
            return false;
        }
    }

    private ChallengeSessionRepository sessions(int maxAttempts, String redeem, String count) {
        return new ChallengeSessionRepository(
                config, maxAttempts, redeem, count, timeouts, citus, new SimpleMeterRegistry());
    }

    private boolean redeems(String redeem, RedeemAttempt attempt) {
        return sessions(5, redeem, COUNT)
                .redeem(
                        attempt.key(),
                        "tester",
                        null,
                        System.nanoTime() + timeouts.statement().multipliedBy(2).toNanos())
                .join()
                .isPresent();
    }

    /** Only a transaction that has an ID has anything to make durable. */
    private static boolean writesForAnUnknownSession(String count) throws SQLException {
        try (Connection connection = TestDatabase.connect();
                Statement sql = connection.createStatement()) {
            connection.setAutoCommit(false);
            sql.execute(count.replace(":maxAttempts", "5")
                    .replace(":apps", "'{demo}'")
                    .replace(":distinctApps", "'{demo}'")
                    .replace(":sessions", "'{" + UUID.randomUUID() + "}'")
                    .replace(":times", "'{1}'"));
            try (ResultSet row = sql.executeQuery("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")) {
                return row.next() && row.getBoolean(1);
            }
        }
    }

    /** Runs the calls while the token's row is locked, and lets them go when all wait for it. */
    private static void holdUp(Token token, List<Runnable> calls, Runnable meanwhile) throws Exception {
        holdUp(token, calls, meanwhile, Connection::commit);
    }

    private static void holdUp(Token token, List<Runnable> calls, Runnable meanwhile, Ending ending) throws Exception {
        try (ExecutorService clients = Executors.newCachedThreadPool();
                Connection connection = TestDatabase.connect();
                Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            // A new version of the row, not just a lock: those who waited must look at it again.
            statement.execute(
                    "UPDATE challenge_session SET attempts = attempts WHERE session_id = '" + token.session() + "'");
            List<Future<?>> running = new ArrayList<>();
            calls.forEach(call -> running.add(clients.submit(call)));
            await().atMost(Duration.ofSeconds(20)).until(() -> waiting() == calls.size());
            meanwhile.run();
            ending.of(connection);
            for (Future<?> call : running) {
                call.get();
            }
        }
    }

    @FunctionalInterface
    private interface Ending {
        void of(Connection transaction) throws SQLException;
    }

    private static int waiting() {
        return Integer.parseInt(
                TestDatabase.query("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
                        .getFirst());
    }

    private Token create(String app) {
        try (RecordingClient client = client()) {
            return client.create(app).orElseThrow();
        }
    }

    private RecordingClient client() {
        return new RecordingClient(URI.create("http://localhost:" + RestAssured.port), history);
    }

    private Outcome redeem(ChallengeService service, Token token) {
        return record(Kind.REDEEM, service, attempt(token, token.code()));
    }

    private void redeemWrongly(ChallengeService service, Token token) {
        record(Kind.WRONG_REDEEM, service, attempt(token, "wrong"));
    }

    private Outcome record(Kind kind, ChallengeService service, RedeemAttempt attempt) {
        long start = RedeemHistory.now();
        Outcome outcome = Outcome.REFUSED;
        Instant redeemedAt = null;
        try {
            redeemedAt = redeemNow(service, attempt).at();
            outcome = Outcome.DONE;
        } catch (NoSuchResourceException e) {
            // Refused, then.
        }
        history.add(new Operation(kind, attempt.sessionId(), null, outcome, start, RedeemHistory.now(), redeemedAt));
        return outcome;
    }

    /** In a context such as a request has. */
    private ChallengeService.Redeemed redeemNow(ChallengeService service, RedeemAttempt attempt) {
        CompletableFuture<ChallengeService.Redeemed> outcome = new CompletableFuture<>();
        VertxContext.createNewDuplicatedContext(vertx.getOrCreateContext())
                .runOnContext(_ -> service.redeem(attempt).whenComplete((redeemed, failure) -> {
                    if (failure == null) {
                        outcome.complete(redeemed);
                    } else {
                        outcome.completeExceptionally(
                                failure instanceof CompletionException ? failure.getCause() : failure);
                    }
                }));
        try {
            return outcome.get();
        } catch (ExecutionException e) {
            throw (RuntimeException) e.getCause();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static RedeemAttempt attempt(Token token, String code) {
        return new RedeemAttempt(token.app(), UUID.fromString(token.session()), code, null, "tester", null);
    }

    private static String withoutTheLateLook() {
        return without("AND 1 / cast(expires_at > clock_timestamp() AS integer) = 1", "", REDEEM);
    }

    /** The statement with a part of it replaced, wherever it stands. */
    private static String without(String part, String replacement, String statement) {
        assertThat(statement).contains(part);
        return statement.replace(part, replacement);
    }
}
