package dev.countersign.limit;

import dev.countersign.error.UnavailableException;
import jakarta.enterprise.context.ApplicationScoped;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;

/**
 * What the registry says of each app's rate, at most about a second old. The call that finds it older asks again; the
 * others don't wait for it.
 */
@ApplicationScoped
class RegisteredRates {

    private static final String READ = "SELECT create_token_per_minute FROM app WHERE app_id = ?";
    private static final long FRESH_NANOS = Duration.ofSeconds(1).toNanos();
    private static final int MOST_APPS = 100_000;

    private final DataSource dataSource;
    private final RecentlyUsed<Known> known = new RecentlyUsed<>(MOST_APPS);

    RegisteredRates(DataSource dataSource) {
        this.dataSource = dataSource;
    }

    /** @throws UnavailableException when it could not be read */
    Rate of(String appId) {
        Known last = known.get(appId);
        if (last == null) {
            return read(appId);
        }
        if (System.nanoTime() - last.readAt < FRESH_NANOS || !last.asking.compareAndSet(false, true)) {
            return last.rate;
        }
        try {
            return read(appId);
        } finally {
            last.asking.set(false);
        }
    }

    private Rate read(String appId) {
        try (Connection connection = dataSource.getConnection();
                PreparedStatement statement = connection.prepareStatement(READ)) {
            statement.setString(1, appId);
            try (ResultSet row = statement.executeQuery()) {
                Rate rate = row.next() ? new Rate(true, optional(row)) : Rate.UNREGISTERED;
                known.put(appId, new Known(rate, System.nanoTime(), new AtomicBoolean()));
                return rate;
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

    private record Known(Rate rate, long readAt, AtomicBoolean asking) {}
}
