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
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.jboss.logging.Logger;

/** Shows how many tokens live by the key they were made with: a key without any may go. */
@ApplicationScoped
class LiveTokens {

    private static final Logger LOG = Logger.getLogger(LiveTokens.class);

    private static final String COUNT = """
            SELECT key_id, count(*) FROM challenge_session
             WHERE state = 'issued' AND expires_at > now()
             GROUP BY key_id
            """;

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
        List<Row<?>> rows = new ArrayList<>();
        try (Connection connection = dataSource.getConnection();
                PreparedStatement statement = connection.prepareStatement(COUNT);
                ResultSet row = statement.executeQuery()) {
            while (row.next()) {
                rows.add(Row.of(Tags.of("key", row.getString(1)), row.getLong(2)));
            }
        } catch (SQLException e) {
            // What it showed is no longer known.
            LOG.warn("The live tokens could not be counted; tried again at the next time", e);
        }
        gauge.register(rows, true);
    }
}
