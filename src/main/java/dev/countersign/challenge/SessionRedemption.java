package dev.countersign.challenge;

import static dev.countersign.challenge.FoundSession.instant;

import dev.countersign.error.UnavailableException;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import javax.sql.DataSource;

/**
 * The statements of a redeem. Each is a transaction of its own, committed when its method returns, so that a wrong code
 * counts whatever else happens. {@link #REDEEM} alone decides who was first: its row count is the answer.
 */
@ApplicationScoped
class SessionRedemption {

    static final String REDEEM = """
            UPDATE challenge_session
               SET state = 'redeemed', salt = NULL, settled_at = clock_timestamp(),
                   redeemed_by = ?, redeem_fingerprint = ?
             WHERE app_id = ? AND session_id = ?
               AND state = 'issued'
               AND expires_at > clock_timestamp()
               AND attempts < ?
               AND EXISTS (SELECT FROM app
                            WHERE app.app_id = challenge_session.app_id
                              AND app.generation = challenge_session.app_generation)
            RETURNING issued_to, created_at, settled_at
            """;

    /** Commits durably even when there is nothing to count, or its time would tell a live token from none. */
    static final String COUNT_ATTEMPT = """
            WITH counted AS (
                UPDATE challenge_session
                   SET attempts = attempts + 1,
                       state = CASE WHEN attempts + 1 < ? THEN state ELSE 'locked' END,
                       salt = CASE WHEN attempts + 1 < ? THEN salt END,
                       settled_at = CASE WHEN attempts + 1 < ? THEN NULL ELSE clock_timestamp() END
                 WHERE app_id = ? AND session_id = ?
                   AND state = 'issued'
                   AND expires_at > clock_timestamp()
                RETURNING state)
            SELECT (SELECT state FROM counted) AS state,
                   CASE WHEN NOT EXISTS (SELECT FROM counted)
                        THEN pg_logical_emit_message(true, 'countersign', '') END
            """;

    private final DataSource dataSource;
    private final int maxAttempts;
    private final String redeem;
    private final String countAttempt;

    @Inject
    SessionRedemption(DataSource dataSource, ChallengeConfig config) {
        this(dataSource, config.maxAttempts(), REDEEM, COUNT_ATTEMPT);
    }

    /** With other statements, for the test that shows what each guard is for. */
    SessionRedemption(DataSource dataSource, int maxAttempts, String redeem, String countAttempt) {
        this.dataSource = dataSource;
        this.maxAttempts = maxAttempts;
        this.redeem = redeem;
        this.countAttempt = countAttempt;
    }

    /** Redeems, if the session still is to be redeemed. Its code must have been found right. */
    Optional<Redeemed> redeem(RedeemAttempt attempt) {
        try (Connection connection = dataSource.getConnection();
                PreparedStatement statement = connection.prepareStatement(redeem)) {
            statement.setString(1, attempt.principal());
            statement.setBytes(2, attempt.fingerprint());
            statement.setString(3, attempt.appId());
            statement.setObject(4, attempt.sessionId());
            statement.setInt(5, maxAttempts);
            try (ResultSet row = statement.executeQuery()) {
                if (!row.next()) {
                    return Optional.empty();
                }
                return Optional.of(new Redeemed(
                        attempt.appId(),
                        attempt.sessionId(),
                        row.getString("issued_to"),
                        instant(row, "created_at"),
                        instant(row, "settled_at")));
            }
        } catch (SQLException e) {
            throw new UnavailableException("The session could not be redeemed", e);
        }
    }

    /**
     * Counts a wrong code against the session if it is live, and locks it at the last attempt.
     *
     * @return whether this attempt locked it
     */
    boolean refuse(RedeemAttempt attempt) {
        try (Connection connection = dataSource.getConnection();
                PreparedStatement statement = connection.prepareStatement(countAttempt)) {
            statement.setInt(1, maxAttempts);
            statement.setInt(2, maxAttempts);
            statement.setInt(3, maxAttempts);
            statement.setString(4, attempt.appId());
            statement.setObject(5, attempt.sessionId());
            try (ResultSet row = statement.executeQuery()) {
                return row.next() && "locked".equals(row.getString("state"));
            }
        } catch (SQLException e) {
            throw new UnavailableException("The attempt could not be counted", e);
        }
    }
}
