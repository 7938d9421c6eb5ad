package dev.countersign.challenge;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.countersign.error.UnavailableException;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** With a database that fails as a real one seldom does. */
class BatcherTest {

    private static final String CHECK_VIOLATION = "23514";
    private static final String CONNECTION_FAILURE = "08006";
    private static final String LOCK_NOT_AVAILABLE = "55P03";
    private static final String DIVISION_BY_ZERO = "22012";

    private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();

    /** As when a partition is attached between a lone row's way to the default partition and its check. */
    @Test
    void asksALoneQuestionAgainWhoseRowWasRefused() throws Exception {
        List<List<String>> asked = new CopyOnWriteArrayList<>();
        Batcher<String, String> batcher = batcher(questions -> {
            asked.add(questions);
            return asked.size() == 1 ? refuse(CHECK_VIOLATION) : questions;
        });

        assertThat(ask(batcher, "a").get(5, SECONDS)).isEqualTo("a");

        assertThat(asked).containsExactly(List.of("a"), List.of("a"));
        batcher.stop();
    }

    @Test
    void failsTheOneWhoseRowIsRefusedAndNotItsNeighbours() throws Exception {
        CountDownLatch queued = new CountDownLatch(1);
        Batcher<String, String> batcher = batcher(questions -> {
            await(queued);
            return questions.contains("bad") ? refuse(CHECK_VIOLATION) : questions;
        });
        CompletableFuture<String> first = ask(batcher, "first");
        CompletableFuture<String> good = ask(batcher, "good");
        CompletableFuture<String> bad = ask(batcher, "bad");
        queued.countDown();

        assertThat(first.get(5, SECONDS)).isEqualTo("first");
        assertThat(good.get(5, SECONDS)).isEqualTo("good");
        assertThatThrownBy(() -> bad.get(5, SECONDS))
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(UnavailableException.class);
        batcher.stop();
    }

    /** As on Citus, where a statement is for one app. */
    @Test
    void sharesStatementsWithinAGroup() throws Exception {
        CountDownLatch queued = new CountDownLatch(1);
        List<List<String>> asked = new CopyOnWriteArrayList<>();
        Batcher<String, String> batcher =
                batcher(Duration.ofMillis(1), question -> question.substring(0, 1), questions -> {
                    await(queued);
                    asked.add(questions);
                    return questions.contains("b bad") ? refuse(CHECK_VIOLATION) : questions;
                });
        CompletableFuture<String> first = ask(batcher, "first");
        Awaitility.await()
                .until(() -> metrics.get("countersign.batch.size").summary().count() == 1);
        List<CompletableFuture<String>> good = Stream.of("a one", "b one", "a two", "c one")
                .map(question -> ask(batcher, question))
                .toList();
        CompletableFuture<String> bad = ask(batcher, "b bad");
        queued.countDown();

        first.get(5, SECONDS);
        for (CompletableFuture<String> answer : good) {
            answer.get(5, SECONDS);
        }
        assertThatThrownBy(() -> bad.get(5, SECONDS)).hasCauseInstanceOf(UnavailableException.class);
        assertThat(asked)
                .contains(List.of("first"), List.of("a one", "a two"), List.of("b one", "b bad"), List.of("c one"))
                .contains(List.of("b one"), List.of("b bad"))
                .hasSize(6);
        batcher.stop();
    }

    /** As when the worker of one app is down. */
    @Test
    void groupThatFailsDoesNotTakeOthersWithIt() throws Exception {
        CountDownLatch queued = new CountDownLatch(1);
        Batcher<String, String> batcher =
                batcher(Duration.ofMillis(1), question -> question.substring(0, 1), questions -> {
                    await(queued);
                    return questions.contains("b") ? refuse(CONNECTION_FAILURE) : questions;
                });
        CompletableFuture<String> first = ask(batcher, "first");
        Awaitility.await()
                .until(() -> metrics.get("countersign.batch.size").summary().count() == 1);
        List<CompletableFuture<String>> answers =
                Stream.of("a", "b", "c").map(question -> ask(batcher, question)).toList();
        queued.countDown();

        first.get(5, SECONDS);
        assertThat(answers.get(0).get(5, SECONDS)).isEqualTo("a");
        assertThatThrownBy(() -> answers.get(1).get(5, SECONDS)).hasCauseInstanceOf(UnavailableException.class);
        assertThat(answers.get(2).get(5, SECONDS)).isEqualTo("c");
        batcher.stop();
    }

    /** What joined others about its locked row is theirs: it may be under way when the statement's others fail. */
    @Test
    void lostConnectionDoesNotFailWhatIsAskedAlone() throws Exception {
        CountDownLatch unlocked = new CountDownLatch(1);
        CountDownLatch queued = new CountDownLatch(1);
        List<List<String>> asked = new CopyOnWriteArrayList<>();
        Batcher<String, String> batcher = batcher(questions -> {
            asked.add(questions);
            if (questions.contains("locked")) {
                if (asked.size() == 1) {
                    return refuse(LOCK_NOT_AVAILABLE);
                }
                await(unlocked);
            } else if (questions.contains("first")) {
                await(queued);
            } else {
                return refuse(CONNECTION_FAILURE);
            }
            return questions;
        });
        CompletableFuture<String> locked = ask(batcher, "locked");
        Awaitility.await().until(() -> asked.size() == 2);
        CompletableFuture<String> first = ask(batcher, "first");
        Awaitility.await().until(() -> asked.size() == 3);
        CompletableFuture<String> joined = ask(batcher, "locked");
        CompletableFuture<String> neighbour = ask(batcher, "neighbour");
        queued.countDown();

        first.get(5, SECONDS);
        assertThatThrownBy(() -> neighbour.get(5, SECONDS)).hasCauseInstanceOf(UnavailableException.class);
        unlocked.countDown();
        assertThat(locked.get(5, SECONDS)).isEqualTo("locked");
        assertThat(joined.get(5, SECONDS)).isEqualTo("locked");
        batcher.stop();
    }

    /** What was asked may have happened. */
    @Test
    void asksNothingAgainWhenTheConnectionIsLost() throws Exception {
        List<List<String>> asked = new CopyOnWriteArrayList<>();
        Batcher<String, String> batcher = batcher(questions -> {
            asked.add(questions);
            return refuse(CONNECTION_FAILURE);
        });

        assertThatThrownBy(() -> ask(batcher, "a").get(5, SECONDS)).hasCauseInstanceOf(UnavailableException.class);

        assertThat(asked).hasSize(1);
        batcher.stop();
    }

    /** A database that comes back isn't kept busy with what its callers have long given up. */
    @Test
    void doesNotAskWhatHasQueuedForTooLong() throws Exception {
        Duration patience = Duration.ofSeconds(2);
        CountDownLatch repaired = new CountDownLatch(1);
        List<List<String>> asked = new CopyOnWriteArrayList<>();
        Batcher<String, String> batcher = batcher(questions -> {
            asked.add(questions);
            await(repaired);
            return questions;
        });
        CompletableFuture<String> first = ask(batcher, "first");
        Awaitility.await().until(() -> !asked.isEmpty());
        CompletableFuture<String> late = batcher.ask("late", System.nanoTime() + patience.toNanos());
        long queued = System.nanoTime();
        Awaitility.await().until(() -> System.nanoTime() - queued > patience.toNanos());
        repaired.countDown();

        assertThat(first.get(5, SECONDS)).isEqualTo("first");
        assertThatThrownBy(() -> late.get(5, SECONDS)).hasCauseInstanceOf(UnavailableException.class);
        assertThat(asked).containsExactly(List.of("first"));
        batcher.stop();
    }

    /** However long the database says nothing, and however many ask it, memory is not what ends it. */
    @Test
    void refusesAtOnceWhatFindsTheQueueFull() throws Exception {
        CountDownLatch repaired = new CountDownLatch(1);
        Batcher<String, String> batcher = batcher(questions -> {
            await(repaired);
            return questions;
        });
        List<CompletableFuture<String>> answers = Stream.generate(() -> batcher.ask(
                        "a", System.nanoTime() + Duration.ofMinutes(1).toNanos()))
                .limit(10_000)
                .toList();

        List<CompletableFuture<String>> refused =
                answers.stream().filter(CompletableFuture::isDone).toList();
        repaired.countDown();

        assertThat(refused).hasSizeGreaterThan(5_000).allMatch(CompletableFuture::isCompletedExceptionally);
        // The others wait for their answer, which comes.
        for (CompletableFuture<String> answer : answers.subList(0, 4_000)) {
            assertThat(answer.get(5, SECONDS)).isEqualTo("a");
        }
        batcher.stop();
    }

    @Test
    void whatQueuesMeanwhileSharesTheNextRoundTripsUpToABound() throws Exception {
        CountDownLatch queued = new CountDownLatch(1);
        List<Integer> sizes = new CopyOnWriteArrayList<>();
        Batcher<String, String> batcher = batcher(questions -> {
            sizes.add(questions.size());
            await(queued);
            return questions;
        });
        CompletableFuture<String> first = ask(batcher, "first");
        Awaitility.await().until(() -> !sizes.isEmpty());
        List<CompletableFuture<String>> others =
                IntStream.range(0, 300).mapToObj(i -> ask(batcher, "" + i)).toList();
        queued.countDown();

        assertThat(first.get(5, SECONDS)).isEqualTo("first");
        for (int i = 0; i < 300; i++) {
            assertThat(others.get(i).get(5, SECONDS)).isEqualTo("" + i);
        }
        assertThat(sizes).containsExactly(1, 256, 44);
        batcher.stop();
    }

    /** It divides by zero: ChallengeSessionRepository.REDEEM. */
    @Test
    void asksAgainWhenTheRowExpiredWhileAStatementWaitedForIt() throws Exception {
        List<List<String>> asked = new CopyOnWriteArrayList<>();
        Batcher<String, String> batcher = batcher(questions -> {
            asked.add(questions);
            return switch (asked.size()) {
                case 1 -> refuse(LOCK_NOT_AVAILABLE);
                case 2 -> refuse(DIVISION_BY_ZERO);
                default -> questions;
            };
        });

        assertThat(ask(batcher, "expired").get(5, SECONDS)).isEqualTo("expired");
        assertThat(asked).hasSize(3);
        batcher.stop();
    }

    @Test
    void goesOnAfterAnError() throws Exception {
        List<List<String>> asked = new CopyOnWriteArrayList<>();
        Batcher<String, String> batcher = batcher(questions -> {
            asked.add(questions);
            return switch (asked.size()) {
                case 1, 3 -> throw new OutOfMemoryError("made up");
                case 2 -> refuse(CHECK_VIOLATION);
                default -> questions;
            };
        });

        assertThatThrownBy(() -> ask(batcher, "together").get(5, SECONDS))
                .hasCauseInstanceOf(UnavailableException.class);
        assertThatThrownBy(() -> ask(batcher, "alone").get(5, SECONDS)).hasCauseInstanceOf(UnavailableException.class);
        assertThat(ask(batcher, "after").get(5, SECONDS)).isEqualTo("after");
        assertThat(asked).containsExactly(List.of("together"), List.of("alone"), List.of("alone"), List.of("after"));
        batcher.stop();
    }

    @Test
    void answersWhatHasQueuedWhenItStopsAndTakesNoMore() throws Exception {
        CountDownLatch stopping = new CountDownLatch(1);
        List<List<String>> asked = new CopyOnWriteArrayList<>();
        Batcher<String, String> batcher = batcher(questions -> {
            asked.add(questions);
            await(stopping);
            return questions;
        });
        CompletableFuture<String> first = ask(batcher, "first");
        Awaitility.await().until(() -> !asked.isEmpty());
        CompletableFuture<String> queued = ask(batcher, "queued");
        Thread stop = Thread.ofPlatform().start(() -> {
            try {
                batcher.stop();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        Awaitility.await().until(() -> stop.getState() == Thread.State.TIMED_WAITING);
        assertThat(ask(batcher, "late")).isCompletedExceptionally();
        stopping.countDown();

        assertThat(first.get(5, SECONDS)).isEqualTo("first");
        assertThat(queued.get(5, SECONDS)).isEqualTo("queued");
        stop.join();
    }

    /** Each of a batch that one row's fault took apart is somebody's whose time may be over before its turn comes. */
    @Test
    void asksNobodysQuestionsOneByOneEither() throws Exception {
        Duration patience = Duration.ofMillis(500);
        CountDownLatch queued = new CountDownLatch(1);
        List<Long> askedAlone = new CopyOnWriteArrayList<>();
        Batcher<String, String> batcher = batcher(questions -> {
            await(queued);
            if (questions.size() > 1) {
                return refuse(CHECK_VIOLATION);
            }
            askedAlone.add(System.nanoTime());
            sleep(20);
            return questions;
        });
        CompletableFuture<String> first = ask(batcher, "first");
        long deadline = System.nanoTime() + patience.toNanos();
        List<CompletableFuture<String>> answers = IntStream.range(0, 256)
                .mapToObj(i -> batcher.ask("" + i, deadline))
                .toList();
        queued.countDown();

        assertThat(first.get(5, SECONDS)).isEqualTo("first");
        for (CompletableFuture<String> answer : answers) {
            Throwable failure = answer.handle((_, thrown) -> thrown).get(5, SECONDS);
            assertThat(failure == null || failure instanceof UnavailableException)
                    .isTrue();
        }
        assertThat(askedAlone).hasSizeBetween(2, 200).allMatch(asked -> asked < deadline);
        batcher.stop();
    }

    /** The database gives up after a while, and by then the caller must be there still. */
    @Test
    void doesNotAskWhatTheDatabaseCouldAnswerTooLate() throws Exception {
        List<List<String>> asked = new CopyOnWriteArrayList<>();
        Batcher<String, String> batcher = batcher(Duration.ofMillis(300), questions -> {
            asked.add(questions);
            return questions;
        });

        assertThatThrownBy(() ->
                        batcher.ask("late", System.nanoTime() + 299_000_000).get(5, SECONDS))
                .hasCauseInstanceOf(UnavailableException.class);
        assertThat(batcher.ask("early", System.nanoTime() + 5_000_000_000L).get(5, SECONDS))
                .isEqualTo("early");

        assertThat(asked).containsExactly(List.of("early"));
        batcher.stop();
    }

    /** As one row that somebody's transaction has locked, at which many callers try. */
    @Test
    void lockedRowHoldsUpNobodyElse() throws Exception {
        AtomicBoolean locked = new AtomicBoolean(true);
        AtomicInteger atOnce = new AtomicInteger();
        List<Integer> mostAtOnce = new CopyOnWriteArrayList<>();
        Batcher<String, String> batcher = batcher(questions -> {
            if (questions.contains("locked") && locked.get()) {
                mostAtOnce.add(atOnce.incrementAndGet());
                sleep(100);
                atOnce.decrementAndGet();
                return refuse(LOCK_NOT_AVAILABLE);
            }
            sleep(1);
            return questions;
        });
        List<CompletableFuture<String>> waiting = new ArrayList<>();
        long longest = 0;
        for (int i = 0; i < 200; i++) {
            if (i % 4 == 0) {
                waiting.add(ask(batcher, "locked"));
            }
            long before = System.nanoTime();
            assertThat(ask(batcher, "neighbour " + i).get(5, SECONDS)).isEqualTo("neighbour " + i);
            longest = Math.max(longest, System.nanoTime() - before);
        }
        assertThat(Duration.ofNanos(longest)).isLessThan(Duration.ofMillis(400));
        assertThat(waiting).noneMatch(CompletableFuture::isDone);
        assertThat(mostAtOnce).containsOnly(1);
        locked.set(false);
        for (CompletableFuture<String> answer : waiting) {
            assertThat(answer.get(5, SECONDS)).isEqualTo("locked");
        }
        batcher.stop();
    }

    @Test
    void queueBatchesAndAgeAreShown() throws Exception {
        CountDownLatch repaired = new CountDownLatch(1);
        List<List<String>> asked = new CopyOnWriteArrayList<>();
        Batcher<String, String> batcher = batcher(questions -> {
            asked.add(questions);
            await(repaired);
            return questions;
        });
        CompletableFuture<String> first = ask(batcher, "first");
        Awaitility.await().until(() -> !asked.isEmpty());
        List<CompletableFuture<String>> others =
                IntStream.range(0, 3).mapToObj(i -> ask(batcher, "" + i)).toList();
        sleep(50);
        assertThat(metrics.get("countersign.batch.queue").gauge().value()).isEqualTo(4);
        assertThat(metrics.get("countersign.batch.age.seconds").gauge().value()).isBetween(0.05, 5.0);
        repaired.countDown();
        first.get(5, SECONDS);
        for (CompletableFuture<String> other : others) {
            other.get(5, SECONDS);
        }
        assertThat(metrics.get("countersign.batch.queue").gauge().value()).isZero();
        assertThat(metrics.get("countersign.batch.age.seconds").gauge().value()).isZero();
        assertThat(metrics.get("countersign.batch.size").summary().totalAmount())
                .isEqualTo(4);
        assertThat(metrics.get("countersign.batch.size").summary().max()).isEqualTo(3);
        batcher.stop();
    }

    private Batcher<String, String> batcher(Refusing statement) {
        return batcher(Duration.ofMillis(1), statement);
    }

    private Batcher<String, String> batcher(Duration statementTimeout, Refusing statement) {
        return batcher(statementTimeout, _ -> "", statement);
    }

    private Batcher<String, String> batcher(
            Duration statementTimeout, Function<String, String> group, Refusing statement) {
        return new Batcher<>(
                "test", statementTimeout, metrics, Runnable::run, question -> question, group, questions -> {
                    try {
                        return statement.answer(questions);
                    } catch (SQLException e) {
                        throw new IllegalStateException("as Hibernate wraps it", e);
                    }
                });
    }

    private static CompletableFuture<String> ask(Batcher<String, String> batcher, String question) {
        return batcher.ask(question, System.nanoTime() + Duration.ofSeconds(5).toNanos());
    }

    @FunctionalInterface
    private interface Refusing {
        List<String> answer(List<String> questions) throws SQLException;
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static List<String> refuse(String sqlState) throws SQLException {
        throw new SQLException("refused", sqlState);
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
