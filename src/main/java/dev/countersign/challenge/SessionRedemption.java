package dev.countersign.challenge;

import static dev.countersign.challenge.FoundSession.instant;
import static java.sql.Statement.RETURN_GENERATED_KEYS;
import static java.util.Collections.nCopies;
import static java.util.Comparator.comparing;

import dev.countersign.error.UnavailableException;
import dev.countersign.http.RequestBudget;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import javax.sql.DataSource;

/**
 * The statements of a redeem. {@link #REDEEM} alone decides who was first: its row count is the answer. A wrong code counts
 * in a transaction of its own, whatever else happens.
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
            RETURNING settled_at
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
    private final SharedRoundTrip<RedeemAttempt, Optional<Instant>> redemptions;

    @Inject
    SessionRedemption(DataSource dataSource, ChallengeConfig config, RequestBudget budget) {
        this(dataSource, config.maxAttempts(), REDEEM, COUNT_ATTEMPT, budget);
    }

    /** With other statements, for the test that shows what each guard is for. */
    SessionRedemption(
            DataSource dataSource, int maxAttempts, String redeem, String countAttempt, RequestBudget budget) {
        this.dataSource = dataSource;
        this.maxAttempts = maxAttempts;
        this.redeem = redeem;
        this.countAttempt = countAttempt;
        this.redemptions = new SharedRoundTrip<>("session-redemption", budget.timeout(), this::redeem);
    }

    /**
     * Redeems, if the session still is to be redeemed, and is done only after the commit is durable. The code must have
     * been found right.
     *
     * @return when it was redeemed, or empty when it was not to be; an UnavailableException when that is not known
     */
    CompletableFuture<Optional<Instant>> redeem(RedeemAttempt attempt) {
        return redemptions.ask(attempt);
    }

    void stop(@Observes ShutdownEvent event) throws InterruptedException {
        redemptions.stop();
    }

    /** Each by a statement of its own, whose row count is the answer; they share the way there and the commit. */
    private List<Optional<Instant>> redeem(List<RedeemAttempt> attempts) throws SQLException {
        // All replicas lock rows in one order, so that they never wait for each other in a circle.
        List<Integer> order = IntStream.range(0, attempts.size())
                .boxed()
                .sorted(comparing(position -> attempts.get(position).sessionId()))
                .toList();
        try (Connection connection = dataSource.getConnection();
                PreparedStatement statement = connection.prepareStatement(redeem, RETURN_GENERATED_KEYS)) {
            connection.setAutoCommit(false);
            try {
                for (int position : order) {
                    add(attempts.get(position), statement);
                }
                int[] counts = statement.executeBatch();
                List<Optional<Instant>> redeemed = redeemed(order, counts, statement);
                connection.commit();
                return redeemed;
            } finally {
                // Does nothing after the commit.
                connection.rollback();
            }
        }
    }

    private void add(RedeemAttempt attempt, PreparedStatement statement) throws SQLException {
        statement.setString(1, attempt.principal());
        statement.setBytes(2, attempt.fingerprint());
        statement.setString(3, attempt.appId());
        statement.setObject(4, attempt.sessionId());
        statement.setInt(5, maxAttempts);
        statement.addBatch();
    }

    private static List<Optional<Instant>> redeemed(List<Integer> order, int[] counts, PreparedStatement statement)
            throws SQLException {
        List<Optional<Instant>> redeemed = new ArrayList<>(nCopies(order.size(), Optional.empty()));
        try (ResultSet rows = statement.getGeneratedKeys()) {
            for (int i = 0; i < counts.length; i++) {
                if (counts[i] == 1 && rows.next()) {
                    redeemed.set(order.get(i), Optional.of(instant(rows, "settled_at")));
                }
            }
        }
        return redeemed;
    }

    /**
     * Counts a wrong code against the session if it is live, and locks it at the last attempt. Blocks until the commit is
     * durable.
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
