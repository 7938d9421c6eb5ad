package dev.countersign.support;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.postgresql.ds.PGSimpleDataSource;

/** The database of the running service, as {@link PostgresResource} started it, looked at from beside the service. */
public final class TestDatabase {

    static final String URL = "countersign.test.jdbc-url";
    static final String DATA = "countersign.test.data-directory";

    private TestDatabase() {}

    public static Connection connect() throws SQLException {
        return dataSource().getConnection();
    }

    public static PGSimpleDataSource dataSource() {
        PGSimpleDataSource dataSource = new PGSimpleDataSource();
        dataSource.setUrl(url());
        dataSource.setUser("postgres");
        dataSource.setPassword("postgres");
        return dataSource;
    }

    public static String url() {
        return System.getProperty(URL);
    }

    public static Path dataDirectory() {
        return Path.of(System.getProperty(DATA));
    }

    public static void execute(String sql) {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    /** The first column. */
    public static List<String> query(String sql) {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            List<String> values = new ArrayList<>();
            while (rows.next()) {
                values.add(rows.getString(1));
            }
            return values;
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    /** Registers an app, unless it is. */
    public static void register(String appId) {
        execute("INSERT INTO app (app_id) VALUES ('" + appId + "') ON CONFLICT DO NOTHING");
    }

    public static void register(String appId, int ttlSeconds) {
        execute("INSERT INTO app (app_id, ttl_seconds) VALUES ('" + appId + "', " + ttlSeconds + ")"
                + " ON CONFLICT (app_id) DO UPDATE SET ttl_seconds = excluded.ttl_seconds");
    }
}
