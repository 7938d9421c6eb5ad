package dev.countersign.challenge;

import static org.assertj.core.api.Assertions.assertThat;

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
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * How the database goes about a redeem on a connection of the service's. It plans once, when the partitions are new and it
 * knows nothing of them, and what then looks cheap would read all of them when they are full.
 */
@QuarkusTest
class RedeemPlanTest extends ServiceTest {

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

    @Test
    void eachSessionIsFoundByItsWholeKey() throws SQLException {
        List<String> plan = plan(SessionRedemption.REDEEM);
        List<String> scans = plan.stream()
                .filter(line -> line.contains(" on challenge_session_"))
                .filter(line -> line.contains("Scan"))
                .toList();
        assertThat(scans).isNotEmpty().allMatch(line -> line.contains("Index Scan using challenge_session_"));
        assertThat(plan)
                .filteredOn(line -> line.contains(
                        "Index Cond: ((app_id = ANY (ARRAY[attempt.app])) AND (session_id = attempt.session))"))
                .hasSameSizeAs(scans);
    }

    private List<String> plan(String statement) throws SQLException {
        try (Connection connection = dataSource.getConnection();
                Statement sql = connection.createStatement()) {
            sql.execute("PREPARE planned AS " + numbered(statement));
            List<String> plan = new ArrayList<>();
            try (ResultSet lines = sql.executeQuery("EXPLAIN EXECUTE planned ('{}', '{}', '{}', '{}', 5)")) {
                while (lines.next()) {
                    plan.add(lines.getString(1));
                }
            } finally {
                sql.execute("DEALLOCATE planned");
            }
            return plan;
        }
    }

    /** With the parameters as PostgreSQL writes them. */
    private static String numbered(String statement) {
        String numbered = statement;
        for (int i = 1; numbered.contains("?"); i++) {
            numbered = numbered.replaceFirst("\\?", "\\$" + i);
        }
        return numbered;
    }
}
