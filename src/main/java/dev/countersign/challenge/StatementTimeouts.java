package dev.countersign.challenge;

import io.agroal.api.AgroalPoolInterceptor;
import jakarta.inject.Singleton;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * How long the database may work on a statement, so that none outlives its caller there. Every connection of the pool begins
 * with these. Two have others: the purge ({@link SessionPartitions}), and migrations, which have connections of their own.
 */
@Singleton
class StatementTimeouts implements AgroalPoolInterceptor {

    private final Duration request;

    StatementTimeouts(@ConfigProperty(name = "countersign.request-timeout", defaultValue = "PT2S") Duration request) {
        this.request = request;
    }

    /** A quarter of a request's time. A redeem that waits in a queue is a look-up, an update and time to spare. */
    Duration statement() {
        return request.dividedBy(4);
    }

    /** A twentieth: whoever shares a statement with a row that somebody has locked waits for so long, and not again. */
    Duration lock() {
        return request.dividedBy(20);
    }

    /** The purge has locks that requests wait for, so it gives up before they do. */
    Duration purgeLock() {
        return lock().dividedBy(2);
    }

    @Override
    public void onConnectionCreate(Connection connection) {
        try (Statement set = connection.createStatement()) {
            set.execute("SET statement_timeout = %d; SET lock_timeout = %d"
                    .formatted(statement().toMillis(), lock().toMillis()));
            // A socketTimeout shorter than a request would end what may take longer. The driver needs no executor.
            if (connection.getNetworkTimeout() < request.toMillis()) {
                connection.setNetworkTimeout(Runnable::run, (int) request.toMillis());
            }
        } catch (SQLException e) {
            throw new IllegalStateException("A connection could not be given its timeouts", e);
        }
    }
}
