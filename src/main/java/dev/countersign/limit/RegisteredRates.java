package dev.countersign.limit;

import com.github.benmanes.caffeine.cache.AsyncLoadingCache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.countersign.error.UnavailableException;
import io.quarkus.virtual.threads.VirtualThreads;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import javax.sql.DataSource;

/** What the registry says of each app's rate, at most a second old. Calls that find it older share a look-up. */
@ApplicationScoped
class RegisteredRates {

    private static final String READ = "SELECT create_token_per_minute FROM app WHERE app_id = ?";
    private static final Duration FRESH = Duration.ofSeconds(1);
    private static final int MOST_APPS = 100_000;

    private final DataSource dataSource;
    private final AsyncLoadingCache<String, Rate> known;

    RegisteredRates(DataSource dataSource, @VirtualThreads ExecutorService threads) {
        this.dataSource = dataSource;
        this.known = Caffeine.newBuilder()
                .maximumSize(MOST_APPS)
                .expireAfterWrite(FRESH)
                .executor(threads)
                .buildAsync(this::read);
    }

    /** A failure when it could not be read. */
    CompletableFuture<Rate> of(String appId) {
        return known.get(appId);
    }

    private Rate read(String appId) {
        try (Connection connection = dataSource.getConnection();
                PreparedStatement statement = connection.prepareStatement(READ)) {
            statement.setString(1, appId);
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? new Rate(true, optional(row)) : Rate.UNREGISTERED;
            }
        } catch (SQLException e) {
            throw new UnavailableException("The app's limit could not be read", e);
        }
    }

    private static OptionalInt optional(ResultSet row) throws SQLException {
        int perMinute = row.getInt(1);
        return row.wasNull() ? OptionalInt.empty() : OptionalInt.of(perMinute);
    }

    /** @param createTokenPerMinute empty for the service's default */
    record Rate(boolean registered, OptionalInt createTokenPerMinute) {
        static final Rate UNREGISTERED = new Rate(false, OptionalInt.empty());
    }
}
