package dev.countersign.challenge;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.MultiGauge.Row;
import io.micrometer.core.instrument.Tags;
import io.quarkus.scheduler.Scheduled;
import io.quarkus.scheduler.Scheduled.ConcurrentExecution;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.jboss.logging.Logger;

/** Shows how many tokens live by the key they were made with: a key without any may go. */
@ApplicationScoped
class LiveTokens {

    private static final Logger LOG = Logger.getLogger(LiveTokens.class);

    private static final String PARTITIONS = """
            SELECT name FROM challenge_session_partition WHERE ends_at > now()
            UNION ALL
            SELECT 'challenge_session_default'
            """;

    /** Of one partition, in a statement of its own: locks that lasted for all of them would be in the purge's way. */
    private static final String COUNT = "SELECT key_id, sessions FROM live_sessions(?)";

    /** For one partition, which may hold ten million. Longer than a request's connection waits for the database. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final DataSource dataSource;
    private final MultiGauge gauge;

    LiveTokens(DataSource dataSource, MeterRegistry metrics) {
        this.dataSource = dataSource;
        this.gauge = MultiGauge.builder("countersign.tokens.live")
                .description("Tokens that can still be redeemed, in the whole database, by key")
                .register(metrics);
    }

    /** As often as the purge, whose work it shows. */
    @Scheduled(every = "{countersign.purge.every}", concurrentExecution = ConcurrentExecution.SKIP)
    void count() {
        // Empty when it could not be counted: what it showed is no longer known.
        Map<String, Long> live = Map.of();
        try (Connection connection = dataSource.getConnection();
                Patience _ = bePatient(connection)) {
            live = count(connection);
        } catch (SQLException e) {
            LOG.warn("The live tokens could not be counted; tried again at the next time", e);
        }
        List<Row<?>> rows = new ArrayList<>();
        live.forEach((key, sessions) -> rows.add(Row.of(Tags.of("key", key), sessions)));
        gauge.register(rows, true);
    }

    private static Map<String, Long> count(Connection connection) throws SQLException {
        Map<String, Long> live = new HashMap<>();
        try (PreparedStatement partitions = connection.prepareStatement(PARTITIONS);
                PreparedStatement count = connection.prepareStatement(COUNT);
                ResultSet partition = partitions.executeQuery()) {
            while (partition.next()) {
                count.setString(1, partition.getString(1));
                try (ResultSet row = count.executeQuery()) {
                    while (row.next()) {
                        live.merge(row.getString(1), row.getLong(2), Long::sum);
                    }
                }
            }
        }
        return live;
    }

    private static Patience bePatient(Connection connection) throws SQLException {
        int usual = connection.getNetworkTimeout();
        connection.setNetworkTimeout(Runnable::run, (int) PATIENCE.toMillis());
        return () -> connection.setNetworkTimeout(Runnable::run, usual);
    }

    /** Ends before the pool gets its connection back. What that throws of a broken one doesn't hide why it broke. */
    @FunctionalInterface
    private interface Patience extends AutoCloseable {

        @Override
        void close() throws SQLException;
    }
}
