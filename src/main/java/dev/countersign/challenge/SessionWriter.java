package dev.countersign.challenge;

import dev.countersign.error.UnavailableException;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import javax.sql.DataSource;
import org.jboss.logging.Logger;

/**
 * Inserts sessions. A durable commit is what a create costs, so concurrent creates share it: one thread writes, and what
 * queues while a write is in flight goes out with the next, in one statement. Nobody waits for company: a lone row is
 * written at once.
 */
@ApplicationScoped
class SessionWriter {

    private static final Logger LOG = Logger.getLogger(SessionWriter.class);
    private static final int MAX_BATCH = 256;
    private static final int MAX_QUEUED = 4096;

    /** One round trip: the join refuses unknown apps as of now, and the database's clock gives the times. */
    private static final String INSERT = """
            INSERT INTO challenge_session
                   (app_id, app_generation, session_id, key_id, salt, issued_to, created_at, expires_at)
            SELECT app.app_id, app.generation,
                   (session_id_prefix(life.expires_at) || new.id_tail)::uuid,
                   new.key_id, new.salt, new.issued_to, life.created_at, life.expires_at
              FROM unnest(?::text[], ?::text[], ?::text[], ?::bytea[], ?::text[])
                   AS new (app_id, id_tail, key_id, salt, issued_to)
              JOIN app ON app.app_id = new.app_id
             CROSS JOIN LATERAL (
                   SELECT now_ms AS created_at,
                          now_ms + make_interval(secs => coalesce(app.ttl_seconds, ?)) AS expires_at
                     FROM date_trunc('milliseconds', statement_timestamp()) AS now_ms) AS life
            RETURNING session_id, created_at, expires_at
            """;

    private final DataSource dataSource;
    private final double defaultTtlSeconds;
    private final BlockingQueue<Pending> queue = new ArrayBlockingQueue<>(MAX_QUEUED);
    private final Thread writer =
            Thread.ofPlatform().name("session-writer").daemon().unstarted(this::writeUntilStopped);
    private volatile boolean stopping;

    SessionWriter(DataSource dataSource, ChallengeConfig config) {
        this.dataSource = dataSource;
        this.defaultTtlSeconds = config.ttl().toMillis() / 1000.0;
    }

    /**
     * Inserts a session, and returns only after the commit is durable.
     *
     * @return what the database decided, or empty when the app is not registered
     * @throws UnavailableException when it could not be written, or too many wait already
     *     (when the caller's thread is interrupted, it may or may not have been)
     */
    Optional<Written> write(NewSession session) {
        Pending pending = new Pending(session, new CompletableFuture<>());
        if (stopping || !queue.offer(pending)) {
            throw new UnavailableException("Too many creates are waiting");
        }
        try {
            return pending.result.get();
        } catch (ExecutionException e) {
            throw new UnavailableException("The session could not be written", e);
        } catch (InterruptedException e) {
            pending.result.cancel(false);
            Thread.currentThread().interrupt();
            throw new UnavailableException("The caller gave up", e);
        }
    }

    void start(@Observes StartupEvent event) {
        writer.start();
    }

    /** Writes what is still queued. */
    void stop(@Observes ShutdownEvent event) throws InterruptedException {
        stopping = true;
        writer.join(TimeUnit.SECONDS.toMillis(5));
    }

    private void writeUntilStopped() {
        List<Pending> batch = new ArrayList<>(MAX_BATCH);
        while (!stopping || !queue.isEmpty()) {
            try {
                Pending first = queue.poll(100, TimeUnit.MILLISECONDS);
                if (first != null) {
                    batch.add(first);
                    queue.drainTo(batch, MAX_BATCH - 1);
                    batch.removeIf(pending -> pending.result.isDone());
                    writeBatch(batch);
                }
            } catch (InterruptedException e) {
                stopping = true;
            } finally {
                batch.clear();
            }
        }
    }

    private void writeBatch(List<Pending> batch) {
        try {
            Map<String, Written> written = insert(batch);
            for (Pending pending : batch) {
                pending.result.complete(Optional.ofNullable(written.get(pending.session.idTail())));
            }
        } catch (SQLException e) {
            if (batch.size() > 1 && isAboutTheData(e)) {
                LOG.debugf("A batch of %d was refused, writing its rows one by one", batch.size());
                batch.forEach(pending -> writeBatch(List.of(pending)));
            } else {
                batch.forEach(pending -> pending.result.completeExceptionally(e));
            }
        } catch (RuntimeException e) {
            batch.forEach(pending -> pending.result.completeExceptionally(e));
        }
    }

    /** By the tail of the session ID, which only the database can complete. */
    private Map<String, Written> insert(List<Pending> batch) throws SQLException {
        try (Connection connection = dataSource.getConnection();
                PreparedStatement insert = connection.prepareStatement(INSERT)) {
            insert.setArray(1, connection.createArrayOf("text", texts(batch, NewSession::appId)));
            insert.setArray(2, connection.createArrayOf("text", texts(batch, NewSession::idTail)));
            insert.setArray(3, connection.createArrayOf("text", texts(batch, NewSession::keyId)));
            insert.setArray(4, connection.createArrayOf("bytea", salts(batch)));
            insert.setArray(5, connection.createArrayOf("text", texts(batch, NewSession::issuedTo)));
            insert.setDouble(6, defaultTtlSeconds);
            Map<String, Written> written = HashMap.newHashMap(batch.size());
            try (ResultSet rows = insert.executeQuery()) {
                while (rows.next()) {
                    UUID sessionId = rows.getObject(1, UUID.class);
                    written.put(tailOf(sessionId), new Written(sessionId, instant(rows, 2), instant(rows, 3)));
                }
            }
            return written;
        }
    }

    private static String[] texts(List<Pending> batch, Function<NewSession, String> column) {
        return batch.stream().map(pending -> column.apply(pending.session)).toArray(String[]::new);
    }

    private static byte[][] salts(List<Pending> batch) {
        return batch.stream().map(pending -> pending.session.salt()).toArray(byte[][]::new);
    }

    private static String tailOf(UUID sessionId) {
        return sessionId.toString().replace("-", "").substring(12);
    }

    private static Instant instant(ResultSet row, int column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }

    /** SQLSTATE classes 22 and 23: one row's fault. Anything else is the connection's or the server's. */
    private static boolean isAboutTheData(SQLException e) {
        String state = e.getSQLState();
        return state != null && (state.startsWith("22") || state.startsWith("23"));
    }

    /** What the database decided about a new session. */
    record Written(UUID sessionId, Instant createdAt, Instant expiresAt) {}

    private record Pending(NewSession session, CompletableFuture<Optional<Written>> result) {}
}
