package dev.countersign.challenge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.challenge.RedeemHistory.Kind;
import dev.countersign.challenge.RedeemHistory.Operation;
import dev.countersign.challenge.RedeemHistory.Outcome;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** That the judge of histories knows a bad one from a good one. Times are in seconds; the token lives from 1 to 100. */
class RedeemHistoryTest {

    private static final UUID SESSION = new UUID(100_000L << 16 | 0x8000, Long.MIN_VALUE);

    private final RedeemHistory history = new RedeemHistory(5);

    @Test
    void lifeOfATokenIsNoViolation() {
        done(Kind.CREATE, 0, 1);
        done(Kind.READ, 2, 3);
        wrong(4);
        done(Kind.REDEEM, 5, 6);
        refused(Kind.REDEEM, 5, 7);
        refused(Kind.REDEEM, 8, 9);
        refused(Kind.READ, 8, 9);
        refused(Kind.REMOVE, 8, 9);
        assertThat(history.violations()).isEmpty();
        assertThat(history.doubleRedeems()).isZero();
    }

    @Test
    void secondRedeemIsCaughtHoweverConcurrent() {
        done(Kind.CREATE, 0, 1);
        done(Kind.REDEEM, 2, 5);
        done(Kind.REDEEM, 3, 4);
        assertThat(history.violations()).anyMatch(violation -> violation.startsWith("redeemed twice"));
        assertThat(history.doubleRedeems()).isEqualTo(1);
    }

    @Test
    void repeatWithTheSameKeyIsOneRedeem() {
        done(Kind.CREATE, 0, 1);
        redeem("k", Outcome.UNKNOWN, 2, 3, null);
        redeem("k", Outcome.DONE, 4, 5, 3);
        redeem("k", Outcome.DONE, 6, 7, 3);
        assertThat(history.violations()).isEmpty();
    }

    @Test
    void repeatThatSaysAnotherTimeIsASecondRedeem() {
        done(Kind.CREATE, 0, 1);
        redeem("k", Outcome.DONE, 2, 4, 3);
        redeem("k", Outcome.DONE, 5, 7, 6);
        assertThat(history.doubleRedeems()).isEqualTo(1);
    }

    @Test
    void refusedRepeatIsCaught() {
        done(Kind.CREATE, 0, 1);
        redeem("k", Outcome.DONE, 2, 3, 2);
        redeem("k", Outcome.REFUSED, 4, 5, null);
        assertCaught("a repeat refused");
    }

    @Test
    void lostReplyThatLocksItsCallerOutIsCaught() {
        done(Kind.CREATE, 0, 1);
        redeem("k", Outcome.UNKNOWN, 2, 3, null);
        redeem("k", Outcome.REFUSED, 4, 5, null);
        assertCaught("a live token refused");
    }

    @Test
    void wrongCodeThatSucceedsIsCaught() {
        done(Kind.CREATE, 0, 1);
        done(Kind.WRONG_REDEEM, 2, 3);
        assertCaught("a wrong code succeeded");
    }

    @Test
    void successAfterAnAcknowledgedRemoveIsCaught() {
        done(Kind.CREATE, 0, 1);
        done(Kind.REMOVE, 2, 3);
        done(Kind.READ, 4, 5);
        assertCaught("a success after the end");
    }

    @Test
    void removeAndRedeemThatBothSucceedAreCaughtHoweverConcurrent() {
        done(Kind.CREATE, 0, 1);
        done(Kind.REMOVE, 2, 5);
        done(Kind.REDEEM, 3, 4);
        assertCaught("a success after the end");
    }

    @Test
    void readBesideARemoveIsNoViolation() {
        done(Kind.CREATE, 0, 1);
        done(Kind.REMOVE, 2, 5);
        done(Kind.READ, 4, 7);
        assertThat(history.violations()).isEmpty();
    }

    @Test
    void successThatStartsAfterExpiryIsCaught() {
        done(Kind.CREATE, 0, 1);
        done(Kind.READ, 101, 102);
        assertCaught("a success after expiry");
    }

    @Test
    void redeemThatSaysItWasAfterExpiryIsCaught() {
        done(Kind.CREATE, 0, 1);
        redeem(null, Outcome.DONE, 99, 102, 101);
        assertCaught("a success after expiry");
    }

    @Test
    void successAcrossTheExpiryIsNoViolation() {
        done(Kind.CREATE, 0, 1);
        done(Kind.READ, 99, 102);
        redeem(null, Outcome.DONE, 99, 102, 100);
        assertThat(history.violations()).isEmpty();
    }

    @Test
    void successAfterTheLockIsCaught() {
        done(Kind.CREATE, 0, 1);
        for (int attempt = 2; attempt <= 6; attempt++) {
            wrong(attempt);
        }
        redeem("k", Outcome.DONE, 10, 11, 10);
        redeem("k", Outcome.DONE, 12, 13, 10);
        assertCaught("a success after the lock");
    }

    @Test
    void repeatAfterManyWrongCodesIsNoViolation() {
        done(Kind.CREATE, 0, 1);
        redeem("k", Outcome.DONE, 2, 3, 2);
        for (int attempt = 4; attempt <= 8; attempt++) {
            wrong(attempt);
        }
        redeem("k", Outcome.DONE, 10, 11, 2);
        assertThat(history.violations()).isEmpty();
    }

    @Test
    void refusedLiveTokenIsCaught() {
        done(Kind.CREATE, 0, 1);
        refused(Kind.READ, 2, 3);
        assertCaught("a live token refused");
    }

    @Test
    void redeemsOfWhichNoneSucceedsAreCaught() {
        done(Kind.CREATE, 0, 1);
        refused(Kind.REDEEM, 2, 4);
        refused(Kind.REDEEM, 3, 5);
        assertCaught("a live token refused");
    }

    @Test
    void lockBeforeTheLastAttemptIsCaught() {
        done(Kind.CREATE, 0, 1);
        for (int attempt = 2; attempt <= 5; attempt++) {
            wrong(attempt);
        }
        refused(Kind.REDEEM, 10, 11);
        assertCaught("a live token refused");
    }

    @Test
    void whatMayHaveHappenedExcusesARefusal() {
        done(Kind.CREATE, 0, 1);
        add(Kind.REMOVE, Outcome.UNKNOWN, 2, 3);
        refused(Kind.REDEEM, 10, 11);
        assertThat(history.violations()).isEmpty();
    }

    @Test
    void refusalAcrossTheExpiryIsNoViolation() {
        done(Kind.CREATE, 0, 1);
        refused(Kind.READ, 99, 101);
        refused(Kind.READ, 102, 103);
        assertThat(history.violations()).isEmpty();
    }

    private void assertCaught(String violation) {
        assertThat(history.violations()).anyMatch(found -> found.startsWith(violation));
    }

    private void wrong(int start) {
        add(Kind.WRONG_REDEEM, Outcome.REFUSED, start, start + 1);
    }

    private void done(Kind kind, int start, int end) {
        add(kind, Outcome.DONE, start, end);
    }

    private void refused(Kind kind, int start, int end) {
        add(kind, Outcome.REFUSED, start, end);
    }

    private void add(Kind kind, Outcome outcome, int start, int end) {
        history.add(new Operation(kind, SESSION, null, outcome, nanos(start), nanos(end), null));
    }

    private void redeem(@Nullable String key, Outcome outcome, int start, int end, @Nullable Integer redeemedAt) {
        Instant at = redeemedAt == null ? null : Instant.ofEpochSecond(redeemedAt);
        history.add(new Operation(Kind.REDEEM, SESSION, key, outcome, nanos(start), nanos(end), at));
    }

    private static long nanos(int second) {
        return RedeemHistory.nanos(Instant.ofEpochSecond(second));
    }
}
