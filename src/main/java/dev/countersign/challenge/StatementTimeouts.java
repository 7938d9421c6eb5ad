package dev.countersign.challenge;

import io.agroal.api.AgroalPoolInterceptor;
import jakarta.inject.Singleton;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Sets how long the database may work on a statement, so that no statement outlives its caller. Every connection of the
 * pool begins with these timeouts. Two users have others: the purge ({@link SessionPartitions}), and migrations, which
 * have connections of their own.
 */
@Singleton
class StatementTimeouts implements AgroalPoolInterceptor {

    private final Duration request;

    StatementTimeouts(@ConfigProperty(name = "countersign.request-timeout", defaultValue = "PT2S") Duration request) {
        this.request = request;
    }

    /**
     * A quarter of a request's time. A redeem that waits in a queue needs a look-up and an update, and has time to
     * spare.
     */
    Duration statement() {
        return request.dividedBy(4);
    }

    /**
     * A twentieth of a request's time. A question whose batch meets a locked row is delayed by this once. After that,
     * the questions are asked one by one.
     */
    Duration lock() {
        return request.dividedBy(20);
    }

    /**
     * Half of {@link #lock}. Requests queue behind the locks that the purge waits for, so the purge gives up before
     * they do.
     */
    Duration purgeLock() {
        return lock().dividedBy(2);
    }

    @Override
    public void onConnectionCreate(Connection connection) {
        try (Statement set = connection.createStatement()) {
            set.execute("SET statement_timeout = %d; SET lock_timeout = %d"
                    .formatted(statement().toMillis(), lock().toMillis()));
            // A socketTimeout shorter than a request's time would end statements that may take longer. The driver
            // doesn't use the executor.
            if (connection.getNetworkTimeout() < request.toMillis()) {
                connection.setNetworkTimeout(Runnable::run, (int) request.toMillis());
            }
        } catch (SQLException e) {
            throw new IllegalStateException("A connection could not be given its timeouts", e);
        }
    }
}
