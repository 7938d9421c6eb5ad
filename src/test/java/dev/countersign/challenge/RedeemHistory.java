package dev.countersign.challenge;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What many clients did to many tokens and when, and whether a service on which each code works exactly once can have
 * answered so. An operation took effect at some moment between its start and its end; one without a reply did so at any
 * moment after its start, or never. When a token expires is in its session ID.
 *
 * <p>The clock is the wall's, which the database of a test reads too.
 */
final class RedeemHistory {

    /** How far apart two readings of one clock may be, and the two that a statement takes. */
    private static final long MARGIN = 5_000_000;

    private final int maxAttempts;
    private final Collection<Operation> operations = new ConcurrentLinkedQueue<>();

    /** Of a service on which so many wrong codes lock a token. */
    RedeemHistory(int maxAttempts) {
        this.maxAttempts = maxAttempts;
    }

    /** The time, for the start and the end of an operation. */
    static long now() {
        return nanos(Instant.now());
    }

    static long nanos(Instant instant) {
        return Math.addExact(Math.multiplyExact(instant.getEpochSecond(), 1_000_000_000L), instant.getNano());
    }

    /** When a token expires, by its ID. */
    static long expiry(UUID session) {
        return (session.getMostSignificantBits() >>> 16) * 1_000_000L;
    }

    void add(Operation operation) {
        operations.add(operation);
    }

    /** How many operations of a kind there were with an outcome. */
    long count(Kind kind, Outcome outcome) {
        return operations.stream()
                .filter(operation -> operation.kind == kind && operation.outcome == outcome)
                .count();
    }

    /** How many operations nobody knows the outcome of. */
    long unknown() {
        return operations.stream()
                .filter(operation -> operation.outcome == Outcome.UNKNOWN)
                .count();
    }

    /** For the reader of a test's output. */
    String summary() {
        return operations.stream()
                .collect(Collectors.groupingBy(
                        operation -> operation.kind + " " + operation.outcome, TreeMap::new, Collectors.counting()))
                .toString();
    }

    /** How many codes were redeemed more than once; repeats of one redeem are one. */
    long doubleRedeems() {
        return bySession().values().stream()
                .filter(token -> new TokenHistory(token).redeems() > 1)
                .count();
    }

    /** How many tokens nobody was seen to redeem or remove, but to find expired. */
    long expiredUnused() {
        return bySession().values().stream()
                .filter(token -> new TokenHistory(token).isExpiredUnused())
                .count();
    }

    /** What can't be, in words; empty when all is well. */
    List<String> violations() {
        return bySession().values().stream()
                .flatMap(token -> new TokenHistory(token).violations())
                .toList();
    }

    private Map<UUID, List<Operation>> bySession() {
        return operations.stream()
                .filter(operation -> operation.session != null)
                .collect(Collectors.groupingBy(Operation::session));
    }

    enum Kind {
        CREATE,
        READ,
        REDEEM,
        WRONG_REDEEM,
        REMOVE
    }

    enum Outcome {
        DONE,
        REFUSED,
        UNKNOWN
    }

    /**
     * One call of a client.
     *
     * @param session null when a create got no reply
     * @param key the idempotency key, by which a repeat is known
     * @param redeemedAt what the reply to a redeem said
     */
    record Operation(
            Kind kind,
            @Nullable UUID session,
            @Nullable String key,
            Outcome outcome,
            long start,
            long end,
            @Nullable Instant redeemedAt) {

        boolean is(Kind other, Outcome... outcomes) {
            return kind == other && Arrays.asList(outcomes).contains(outcome);
        }

        boolean isRepeatOf(Operation other) {
            return kind == Kind.REDEEM && other.kind == Kind.REDEEM && key != null && key.equals(other.key);
        }

        boolean startedAfter(long time) {
            return start > time;
        }

        boolean endedBefore(long time) {
            return outcome != Outcome.UNKNOWN && end < time;
        }
    }

    /** The judge of one token. */
    private final class TokenHistory {

        private final List<Operation> all;
        private final long expiry;

        TokenHistory(List<Operation> all) {
            this.all = all;
            this.expiry = expiry(all.getFirst().session());
        }

        Stream<String> violations() {
            List<String> found = new ArrayList<>();
            found.addAll(
                    describe("a wrong code succeeded", operation -> operation.is(Kind.WRONG_REDEEM, Outcome.DONE)));
            if (redeems() > 1) {
                found.addAll(describe("redeemed twice", operation -> operation.is(Kind.REDEEM, Outcome.DONE)));
            }
            found.addAll(describe("a success after the end", this::succeededAfterTheEnd));
            found.addAll(describe("a success after expiry", this::succeededAfterExpiry));
            found.addAll(describe("a success after the lock", this::succeededAfterTheLock));
            found.addAll(describe("a live token refused", this::refusedThoughLive));
            found.addAll(describe("a repeat refused", this::refusedThoughARepeat));
            return found.stream();
        }

        /** Acknowledged ones; repeats of one redeem are one as long as they say the same. */
        long redeems() {
            return all.stream()
                    .filter(operation -> operation.is(Kind.REDEEM, Outcome.DONE))
                    .map(operation -> operation.key == null ? operation : operation.key + operation.redeemedAt)
                    .distinct()
                    .count();
        }

        boolean isExpiredUnused() {
            return all.stream().noneMatch(end -> end.kind != Kind.READ && isSuccess(end))
                    && all.stream().anyMatch(late -> late.outcome == Outcome.REFUSED && late.startedAfter(expiry));
        }

        /** A token ends once, redeemed or removed; nothing but the repeat of its redeem succeeds any more. */
        private boolean succeededAfterTheEnd(Operation operation) {
            return isSuccess(operation)
                    && all.stream()
                            .filter(end -> end.is(Kind.REDEEM, Outcome.DONE) || end.is(Kind.REMOVE, Outcome.DONE))
                            .anyMatch(end -> !end.equals(operation)
                                    && !operation.isRepeatOf(end)
                                    && (operation.startedAfter(end.end) || operation.kind == Kind.REMOVE));
        }

        private boolean succeededAfterExpiry(Operation operation) {
            return isSuccess(operation)
                    && (operation.startedAfter(expiry + MARGIN)
                            || (operation.redeemedAt != null && nanos(operation.redeemedAt) > expiry + MARGIN));
        }

        private boolean succeededAfterTheLock(Operation operation) {
            long earliest = all.stream()
                    .filter(first -> first.equals(operation) || operation.isRepeatOf(first))
                    .mapToLong(Operation::start)
                    .min()
                    .orElseThrow();
            return isSuccess(operation) && wrongOnes(wrong -> wrong.endedBefore(earliest)) >= maxAttempts;
        }

        /** Unless something may have ended it before the refusal came. */
        private boolean refusedThoughLive(Operation operation) {
            if (operation.outcome != Outcome.REFUSED
                    || operation.kind == Kind.WRONG_REDEEM
                    || !operation.endedBefore(expiry - MARGIN)
                    || all.stream()
                            .noneMatch(created ->
                                    created.is(Kind.CREATE, Outcome.DONE) && operation.startedAfter(created.end))) {
                return false;
            }
            boolean ended = all.stream()
                    .anyMatch(end -> (end.is(Kind.REDEEM, Outcome.DONE, Outcome.UNKNOWN)
                                    || end.is(Kind.REMOVE, Outcome.DONE, Outcome.UNKNOWN))
                            && !end.equals(operation)
                            && !operation.isRepeatOf(end)
                            && end.start < operation.end);
            return !ended && wrongOnes(wrong -> wrong.start < operation.end) < maxAttempts;
        }

        private boolean refusedThoughARepeat(Operation operation) {
            return operation.outcome == Outcome.REFUSED
                    && operation.endedBefore(expiry - MARGIN)
                    && all.stream()
                            .anyMatch(first -> operation.isRepeatOf(first)
                                    && first.is(Kind.REDEEM, Outcome.DONE)
                                    && operation.startedAfter(first.end));
        }

        private long wrongOnes(Predicate<Operation> when) {
            return all.stream()
                    .filter(operation -> operation.is(Kind.WRONG_REDEEM, Outcome.REFUSED, Outcome.UNKNOWN))
                    .filter(when)
                    .count();
        }

        private static boolean isSuccess(Operation operation) {
            return operation.outcome == Outcome.DONE && operation.kind != Kind.CREATE;
        }

        private List<String> describe(String violation, Predicate<Operation> guilty) {
            return all.stream()
                    .filter(guilty)
                    .map(operation -> violation + ": " + operation + ", expiry " + expiry)
                    .toList();
        }
    }
}
