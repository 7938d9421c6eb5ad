package dev.countersign.challenge;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.countersign.support.ServiceTest;
import dev.countersign.support.TestDatabase;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * How the database goes about a redeem on a connection of the service's. It plans once, when the partitions are new and it
 * knows nothing of them, and what then looks cheap would read all of them when they are full.
 */
@QuarkusTest
class RedeemPlanTest extends ServiceTest {

    /** As Hibernate takes them, and not a cast. */
    private static final Pattern PARAMETER = Pattern.compile("(?<!:):[a-zA-Z]+");

    private static final String SESSION = "01a00000-0000-8000-8000-000000000000";

    @Inject
    DataSource dataSource;

    /** When a search by key looks as dear as to read them all. */
    @BeforeEach
    void analysePartitionsWithAFewRows() {
        TestDatabase.register("demo");
        TestDatabase.execute("""
                INSERT INTO challenge_session
                       (app_id, app_generation, session_id, key_id, salt, issued_to, created_at, expires_at)
                SELECT app_id, generation, session_id_floor(slot + interval '4 minutes'), 'any', decode(repeat('00', 16), 'hex'),
                       'me', now(), slot + interval '4 minutes'
                  FROM app, generate_series(now(), now() + interval '80 minutes', interval '5 minutes') AS slot
                 WHERE app_id = 'demo'
                """);
        TestDatabase.execute("ANALYZE challenge_session, app");
    }

    @AfterEach
    void forgetThem() {
        TestDatabase.execute("DELETE FROM challenge_session");
        TestDatabase.execute("ANALYZE challenge_session, app");
    }

    @ParameterizedTest
    @MethodSource
    void eachSessionIsFoundByItsWholeKey(String statement, String app, String range, String session)
            throws SQLException {
        List<String> plan = plan(statement);
        List<String> scans = plan.stream()
                .filter(line -> line.contains(" on challenge_session_"))
                .filter(line -> line.contains("Scan"))
                .toList();
        assertThat(scans).isNotEmpty().allMatch(line -> line.contains("Index Scan using challenge_session_"));
        assertThat(plan)
                .filteredOn(line -> line.contains(
                        "Index Cond: ((app_id = " + app + ") AND " + range + "(session_id = " + session + "))"))
                .hasSameSizeAs(scans);
        if (statement.equals(ChallengeSessionRepository.FIND)) {
            // The sessions are all of one partition, and the database knows it before it begins.
            assertThat(scans).hasSize(1);
        }
    }

    static Stream<Arguments> eachSessionIsFoundByItsWholeKey() {
        return Stream.of(
                arguments(ChallengeSessionRepository.REDEEM, "ANY (ARRAY[attempt.app])", "", "attempt.session"),
                arguments(ChallengeSessionRepository.COUNT_ATTEMPTS, "ANY (ARRAY[wrong.app])", "", "wrong.session"),
                arguments(ChallengeSessionRepository.REMOVE, "ANY (ARRAY[removal.app])", "", "removal.session"),
                arguments(
                        ChallengeSessionRepository.FIND,
                        "asked.app_id",
                        "(session_id >= $3) AND (session_id <= $4) AND ",
                        "asked.session_id"));
    }

    private List<String> plan(String statement) throws SQLException {
        try (Connection connection = dataSource.getConnection();
                Statement sql = connection.createStatement()) {
            List<String> names = new ArrayList<>();
            String numbered = PARAMETER.matcher(statement).replaceAll(parameter -> {
                if (!names.contains(parameter.group())) {
                    names.add(parameter.group());
                }
                return "\\$" + (names.indexOf(parameter.group()) + 1);
            });
            sql.execute("PREPARE planned AS " + numbered);
            String arguments = names.stream()
                    .map(name -> switch (name) {
                        case ":maxAttempts" -> "5";
                        case ":least", ":most" -> "'" + SESSION + "'";
                        default -> "'{}'";
                    })
                    .collect(joining(", "));
            List<String> plan = new ArrayList<>();
            try (ResultSet lines = sql.executeQuery("EXPLAIN EXECUTE planned (" + arguments + ")")) {
                while (lines.next()) {
                    plan.add(lines.getString(1));
                }
            } finally {
                sql.execute("DEALLOCATE planned");
            }
            return plan;
        }
    }
}
