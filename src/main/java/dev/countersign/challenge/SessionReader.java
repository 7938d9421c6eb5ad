package dev.countersign.challenge;

import dev.countersign.http.RequestBudget;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import javax.sql.DataSource;

/** Looks sessions up, those of concurrent callers in one round trip. */
@ApplicationScoped
class SessionReader {

    /** A look-up by the whole key for each, so that each touches one partition; the app must be registered still. */
    private static final String FIND = """
            SELECT asked.position, found.*
              FROM unnest(?::text[], ?::uuid[]) WITH ORDINALITY AS asked (app_id, session_id, position)
             CROSS JOIN LATERAL (
                   SELECT session.state, session.expires_at > clock_timestamp() AS lives,
                          session.key_id, session.salt, session.issued_to, session.created_at, session.expires_at,
                          session.settled_at, session.redeemed_by, session.redeem_fingerprint
                     FROM challenge_session AS session
                     JOIN app ON app.app_id = session.app_id AND app.generation = session.app_generation
                    WHERE session.app_id = asked.app_id AND session.session_id = asked.session_id
                    LIMIT 1) AS found
            """;

    private final DataSource dataSource;
    private final SharedRoundTrip<Key, FoundSession> lookUps;

    SessionReader(DataSource dataSource, RequestBudget budget) {
        this.dataSource = dataSource;
        this.lookUps = new SharedRoundTrip<>("session-reader", budget.timeout(), this::find);
    }

    /** What is known of the session, as of a moment after this call; an UnavailableException when that wasn't told. */
    CompletableFuture<FoundSession> find(String appId, UUID sessionId) {
        return lookUps.ask(new Key(appId, sessionId));
    }

    void stop(@Observes ShutdownEvent event) throws InterruptedException {
        lookUps.stop();
    }

    private List<FoundSession> find(List<Key> keys) throws SQLException {
        FoundSession[] found = new FoundSession[keys.size()];
        Arrays.fill(found, FoundSession.UNKNOWN);
        try (Connection connection = dataSource.getConnection();
                PreparedStatement find = connection.prepareStatement(FIND)) {
            find.setArray(
                    1,
                    connection.createArrayOf(
                            "text", keys.stream().map(Key::appId).toArray()));
            find.setArray(
                    2,
                    connection.createArrayOf(
                            "uuid", keys.stream().map(Key::sessionId).toArray()));
            try (ResultSet rows = find.executeQuery()) {
                while (rows.next()) {
                    found[rows.getInt("position") - 1] = FoundSession.of(rows);
                }
            }
        }
        return List.of(found);
    }

    private record Key(String appId, UUID sessionId) {}
}
