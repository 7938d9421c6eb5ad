package dev.countersign.challenge;

import static dev.countersign.challenge.FoundSession.instant;

import dev.countersign.http.RequestBudget;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import javax.sql.DataSource;

/** Inserts sessions. A durable commit is what a create costs, so concurrent creates share it. */
@ApplicationScoped
class SessionWriter {

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
    private final SharedRoundTrip<NewSession, Optional<Written>> inserts;

    SessionWriter(DataSource dataSource, ChallengeConfig config, RequestBudget budget) {
        this.dataSource = dataSource;
        this.defaultTtlSeconds = config.ttl().toMillis() / 1000.0;
        this.inserts = new SharedRoundTrip<>("session-writer", budget.timeout(), this::insert);
    }

    /**
     * Inserts a session, and is done only after the commit is durable.
     *
     * @return what the database decided, or empty when the app is not registered; an UnavailableException when it could
     *     not be written, though it may have been all the same
     */
    CompletableFuture<Optional<Written>> write(NewSession session) {
        return inserts.ask(session);
    }

    void stop(@Observes ShutdownEvent event) throws InterruptedException {
        inserts.stop();
    }

    private List<Optional<Written>> insert(List<NewSession> sessions) throws SQLException {
        try (Connection connection = dataSource.getConnection();
                PreparedStatement insert = connection.prepareStatement(INSERT)) {
            insert.setArray(1, connection.createArrayOf("text", texts(sessions, NewSession::appId)));
            insert.setArray(2, connection.createArrayOf("text", texts(sessions, NewSession::idTail)));
            insert.setArray(3, connection.createArrayOf("text", texts(sessions, NewSession::keyId)));
            insert.setArray(
                    4,
                    connection.createArrayOf(
                            "bytea", sessions.stream().map(NewSession::salt).toArray(byte[][]::new)));
            insert.setArray(5, connection.createArrayOf("text", texts(sessions, NewSession::issuedTo)));
            insert.setDouble(6, defaultTtlSeconds);
            // By the tail of the session ID, which only the database can complete.
            Map<String, Written> written = HashMap.newHashMap(sessions.size());
            try (ResultSet rows = insert.executeQuery()) {
                while (rows.next()) {
                    UUID sessionId = rows.getObject(1, UUID.class);
                    written.put(
                            tailOf(sessionId),
                            new Written(sessionId, instant(rows, "created_at"), instant(rows, "expires_at")));
                }
            }
            return sessions.stream()
                    .map(session -> Optional.ofNullable(written.get(session.idTail())))
                    .toList();
        }
    }

    private static String[] texts(List<NewSession> sessions, Function<NewSession, String> column) {
        return sessions.stream().map(column).toArray(String[]::new);
    }

    private static String tailOf(UUID sessionId) {
        return sessionId.toString().replace("-", "").substring(12);
    }

    /** What the database decided about a new session. */
    record Written(UUID sessionId, Instant createdAt, Instant expiresAt) {}
}
