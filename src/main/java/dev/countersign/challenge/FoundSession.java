package dev.countersign.challenge;

import java.security.MessageDigest;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A session that has not expired, as it was found, or the lack of one.
 *
 * @param state of the row, or why there is none: {@code unknown} or {@code expired}
 * @param live what a live token has, null once it has ended
 * @param settled what a redeemed one has, null otherwise
 */
record FoundSession(
        String state, @Nullable Live live, @Nullable Settled settled) {

    static final FoundSession UNKNOWN = new FoundSession("unknown", null, null);
    private static final FoundSession EXPIRED = new FoundSession("expired", null, null);

    static FoundSession of(ResultSet row) throws SQLException {
        if (!row.getBoolean("lives")) {
            return EXPIRED;
        }
        String state = row.getString("state");
        return switch (state) {
            case "issued" -> new FoundSession(state, Live.of(row), null);
            case "redeemed" -> new FoundSession(state, null, Settled.of(row));
            default -> new FoundSession(state, null, null);
        };
    }

    /** Whether its row is still there, and its time is over. */
    boolean hasExpired() {
        return equals(EXPIRED);
    }

    /** Why a redeem that met this session is refused; for the audit alone. */
    String refusal() {
        return live == null ? state : "wrong code";
    }

    /** The result of an attempt that has just redeemed what was found alive. */
    Redeemed redeemed(RedeemAttempt attempt, Instant redeemedAt) {
        return Objects.requireNonNull(live).redeemed(attempt, redeemedAt);
    }

    /** The result of an earlier redeem of which this attempt is the repeat. */
    Optional<Redeemed> earlierResultOf(RedeemAttempt attempt) {
        return settled != null && settled.isOf(attempt) ? Optional.of(settled.result(attempt)) : Optional.empty();
    }

    // Never compared as a whole, so the arrays' identity does no harm.
    @SuppressWarnings("ArrayRecordComponent")
    record Live(String keyId, byte[] salt, Instant expiresAt, String issuedTo, Instant createdAt) {

        private static Live of(ResultSet row) throws SQLException {
            return new Live(
                    row.getString("key_id"),
                    row.getBytes("salt"),
                    instant(row, "expires_at"),
                    row.getString("issued_to"),
                    instant(row, "created_at"));
        }

        private Redeemed redeemed(RedeemAttempt attempt, Instant redeemedAt) {
            return new Redeemed(attempt.appId(), attempt.sessionId(), issuedTo, createdAt, redeemedAt);
        }
    }

    // As above.
    @SuppressWarnings("ArrayRecordComponent")
    record Settled(
            String issuedTo, Instant createdAt, Instant settledAt, String redeemedBy, byte @Nullable [] fingerprint) {

        private static Settled of(ResultSet row) throws SQLException {
            return new Settled(
                    row.getString("issued_to"),
                    instant(row, "created_at"),
                    instant(row, "settled_at"),
                    row.getString("redeemed_by"),
                    row.getBytes("redeem_fingerprint"));
        }

        private boolean isOf(RedeemAttempt attempt) {
            return fingerprint != null
                    && redeemedBy.equals(attempt.principal())
                    && MessageDigest.isEqual(fingerprint, attempt.fingerprint());
        }

        private Redeemed result(RedeemAttempt attempt) {
            return new Redeemed(attempt.appId(), attempt.sessionId(), issuedTo, createdAt, settledAt);
        }
    }

    /** A time of a row, which has one. */
    static Instant instant(ResultSet row, String column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }
}
