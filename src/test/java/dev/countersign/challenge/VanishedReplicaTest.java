package dev.countersign.challenge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.countersign.support.ServiceTest;
import dev.countersign.support.TestDatabase;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/** A replica that is gone in the middle of a transaction, and whose connection nobody has closed. */
@QuarkusTest
class VanishedReplicaTest extends ServiceTest {

    private static final String LOCKS = "SELECT count(*) FROM pg_locks WHERE relation = 'limit_bucket'::regclass";

    @Inject
    DataSource dataSource;

    @Test
    void itsLocksDoNotOutliveItForLong() throws SQLException {
        try (Connection vanished = dataSource.getConnection();
                Statement statement = vanished.createStatement()) {
            vanished.setAutoCommit(false);
            statement.execute("LOCK TABLE limit_bucket IN SHARE MODE");
            assertThat(TestDatabase.query(LOCKS)).isNotEqualTo(List.of("0"));
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> TestDatabase.query(LOCKS).equals(List.of("0")));
            // Its end is heard of here, so that the pool takes it for broken and gives it to nobody.
            assertThatThrownBy(() -> statement.execute("SELECT 1"))
                    .isInstanceOfSatisfying(
                            SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("25P03"));
        }
    }
}
