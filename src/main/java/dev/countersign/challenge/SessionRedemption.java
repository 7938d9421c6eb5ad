package dev.countersign.challenge;

import static dev.countersign.challenge.FoundSession.instant;
import static java.util.Collections.nCopies;
import static java.util.Comparator.comparing;

import dev.countersign.error.UnavailableException;
import dev.countersign.http.RequestBudget;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.IntStream;
import javax.sql.DataSource;

/**
 * The statements of a redeem. {@link #REDEEM} alone decides who was first: the rows that it returns are the answer. A wrong code counts
 * in a transaction of its own, whatever else happens.
 */
@ApplicationScoped
class SessionRedemption {

    /**
     * Of several attempts at a session, one succeeds, also within a call. {@code ANY} leaves the planner nothing to merge by,
     * so that it looks each session up by its key.
     */
    static final String REDEEM = """
            UPDATE challenge_session
               SET state = 'redeemed', salt = NULL, settled_at = clock_timestamp(),
                   redeemed_by = attempt.principal, redeem_fingerprint = attempt.fingerprint
              FROM unnest(?::text[], ?::uuid[], ?::text[], ?::bytea[]) WITH ORDINALITY
                   AS attempt (app, session, principal, fingerprint, position)
             WHERE app_id = ANY (ARRAY[attempt.app]) AND session_id = attempt.session
               AND state = 'issued'
               AND expires_at > clock_timestamp()
               AND attempts < ?
               AND app_generation = (SELECT generation FROM app WHERE app.app_id = challenge_session.app_id)
            RETURNING attempt.position, settled_at
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

    private List<Optional<Instant>> redeem(List<RedeemAttempt> attempts) throws SQLException {
        // Rows are locked in one order by all replicas, so that they never wait for each other in a circle.
        List<Integer> order = IntStream.range(0, attempts.size())
                .boxed()
                .sorted(comparing(position -> attempts.get(position).sessionId()))
                .toList();
        List<RedeemAttempt> sorted = order.stream().map(attempts::get).toList();
        List<Optional<Instant>> redeemed = new ArrayList<>(nCopies(attempts.size(), Optional.empty()));
        try (Connection connection = dataSource.getConnection();
                PreparedStatement statement = connection.prepareStatement(redeem)) {
            statement.setArray(1, array(connection, "text", sorted, RedeemAttempt::appId));
            statement.setArray(2, array(connection, "uuid", sorted, RedeemAttempt::sessionId));
            statement.setArray(3, array(connection, "text", sorted, RedeemAttempt::principal));
            statement.setArray(
                    4,
                    connection.createArrayOf(
                            "bytea",
                            sorted.stream().map(RedeemAttempt::fingerprint).toArray(byte[][]::new)));
            statement.setInt(5, maxAttempts);
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    redeemed.set(order.get(rows.getInt("position") - 1), Optional.of(instant(rows, "settled_at")));
                }
            }
        }
        return redeemed;
    }

    private static Array array(
            Connection connection, String type, List<RedeemAttempt> attempts, Function<RedeemAttempt, ?> column)
            throws SQLException {
        return connection.createArrayOf(type, attempts.stream().map(column).toArray());
    }

    /**
     * Counts a wrong code against the session if it is live, and locks it at the last attempt. Blocks until the commit is
     * durable.
     *
     * @return whether this attempt locked it
     */
    boolean countAttempt(RedeemAttempt attempt) {
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
