package dev.countersign.limit;

import io.agroal.api.AgroalDataSource;
import io.agroal.api.configuration.AgroalConnectionPoolConfiguration;
import io.agroal.api.configuration.supplier.AgroalConnectionFactoryConfigurationSupplier;
import io.agroal.api.configuration.supplier.AgroalConnectionPoolConfigurationSupplier;
import io.agroal.api.configuration.supplier.AgroalDataSourceConfigurationSupplier;
import io.agroal.api.transaction.TransactionIntegration;
import io.agroal.pool.DataSource;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Objects;

/**
 * The table {@code limit_bucket}. It has a small connection pool of its own, configured like the pool for requests, so
 * that neither takes connections from the other.
 */
@ApplicationScoped
class BucketTable {

    /**
     * The size of the pool. Each bucket has at most one statement under way, so this many buckets may be locked before
     * others notice.
     */
    private static final int CONNECTIONS = 4;

    /** A bucket is locked only while a replica's statement runs. A call that meets a longer lock fails soon. */
    private static final String TIMEOUTS = "; SET lock_timeout = '250ms'; SET statement_timeout = '1s'";

    /**
     * Takes tokens from a bucket. A bucket without a row is full, so the inserted row is a full bucket after the
     * taking: {@code granted} is the number of tokens wanted, and {@code available + granted} is the capacity. The
     * update reads both from {@code excluded}. It reads the clock only after it has locked the row.
     *
     * <p>The limit needs no durable commit: what a crash loses is refilled within a minute. The statement turns it off
     * itself, because a pooler may give the session to a request next.
     */
    private static final String TAKE = """
            INSERT INTO limit_bucket AS bucket (id, available, granted, filled_at)
            SELECT ?, ?, ?, clock_timestamp() FROM set_config('synchronous_commit', 'off', true)
                ON CONFLICT (id) DO UPDATE
               SET (available, granted, filled_at) = (
                   SELECT filled - taken, taken, asked_at
                     FROM (SELECT clock_timestamp() AS asked_at OFFSET 0) AS clock,
                          LATERAL (SELECT least(excluded.available + excluded.granted, bucket.available
                              + ? * greatest(0, extract(epoch FROM asked_at - bucket.filled_at))) AS filled) AS refill,
                          LATERAL (SELECT least(excluded.granted, floor(filled)) AS taken) AS take)
            RETURNING granted, available
            """;

    /** Removes full buckets: none takes longer than a minute to fill. */
    private static final String REMOVE_FULL = """
            DELETE FROM limit_bucket
             WHERE id IN (SELECT id FROM limit_bucket WHERE filled_at < clock_timestamp() - interval '1 minute'
                           LIMIT ? FOR UPDATE SKIP LOCKED)
               AND set_config('synchronous_commit', 'off', true) = 'off'
            """;

    private final DataSource connections;

    BucketTable(AgroalDataSource requests) {
        AgroalConnectionPoolConfiguration theirs = requests.getConfiguration().connectionPoolConfiguration();
        AgroalConnectionFactoryConfigurationSupplier connection =
                new AgroalConnectionFactoryConfigurationSupplier(theirs.connectionFactoryConfiguration());
        connection.initialSql(Objects.requireNonNullElse(
                        theirs.connectionFactoryConfiguration().initialSql(), "")
                + TIMEOUTS);
        connections = new DataSource(new AgroalDataSourceConfigurationSupplier()
                .connectionPoolConfiguration(new AgroalConnectionPoolConfigurationSupplier(theirs)
                        .initialSize(0)
                        .minSize(0)
                        .maxSize(CONNECTIONS)
                        .transactionIntegration(TransactionIntegration.none())
                        .connectionFactoryConfiguration(connection))
                .get());
    }

    @PreDestroy
    void close() {
        connections.close();
    }

    Connection connect() throws SQLException {
        return connections.getConnection();
    }

    /** Takes up to {@code wanted} tokens from a bucket, by the database's clock. Blocks. */
    Taken take(String id, int wanted, int capacity, int perMinute) throws SQLException {
        int most = Math.min(wanted, capacity);
        try (Connection connection = connect();
                PreparedStatement statement = connection.prepareStatement(TAKE)) {
            statement.setString(1, id);
            statement.setInt(2, capacity - most);
            statement.setInt(3, most);
            statement.setDouble(4, perMinute / 60.0);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return new Taken(row.getInt(1), row.getDouble(2));
            }
        }
    }

    /**
     * Removes buckets that are full again: a bucket without a row is full.
     *
     * @param most how many to remove at most
     * @return how many were removed
     */
    int removeFull(int most) throws SQLException {
        try (Connection connection = connect();
                PreparedStatement statement = connection.prepareStatement(REMOVE_FULL)) {
            statement.setInt(1, most);
            return statement.executeUpdate();
        }
    }

    /**
     * The result of taking tokens.
     *
     * @param granted how many tokens were taken
     * @param available what was left in the bucket
     */
    record Taken(int granted, double available) {}
}
