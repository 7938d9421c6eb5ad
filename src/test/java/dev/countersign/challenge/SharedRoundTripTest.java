package dev.countersign.challenge;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.countersign.error.UnavailableException;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** With a database that fails as a real one seldom does. */
class SharedRoundTripTest {

    private static final String CHECK_VIOLATION = "23514";
    private static final String CONNECTION_FAILURE = "08006";

    /** As when a partition is attached between a lone row's way to the default partition and its check. */
    @Test
    void asksALoneQuestionAgainWhoseRowWasRefused() throws Exception {
        List<List<String>> asked = new CopyOnWriteArrayList<>();
        SharedRoundTrip<String, String> roundTrip = roundTrip(questions -> {
            asked.add(questions);
            return asked.size() == 1 ? refuse(CHECK_VIOLATION) : questions;
        });

        assertThat(roundTrip.ask("a").get(5, SECONDS)).isEqualTo("a");

        assertThat(asked).containsExactly(List.of("a"), List.of("a"));
        roundTrip.stop();
    }

    @Test
    void failsTheOneWhoseRowIsRefusedAndNotItsNeighbours() throws Exception {
        CountDownLatch queued = new CountDownLatch(1);
        SharedRoundTrip<String, String> roundTrip = roundTrip(questions -> {
            await(queued);
            return questions.contains("bad") ? refuse(CHECK_VIOLATION) : questions;
        });
        CompletableFuture<String> first = roundTrip.ask("first");
        CompletableFuture<String> good = roundTrip.ask("good");
        CompletableFuture<String> bad = roundTrip.ask("bad");
        queued.countDown();

        assertThat(first.get(5, SECONDS)).isEqualTo("first");
        assertThat(good.get(5, SECONDS)).isEqualTo("good");
        assertThatThrownBy(() -> bad.get(5, SECONDS))
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(UnavailableException.class);
        roundTrip.stop();
    }

    /** What was asked may have happened. */
    @Test
    void asksNothingAgainWhenTheConnectionIsLost() throws Exception {
        List<List<String>> asked = new CopyOnWriteArrayList<>();
        SharedRoundTrip<String, String> roundTrip = roundTrip(questions -> {
            asked.add(questions);
            return refuse(CONNECTION_FAILURE);
        });

        assertThatThrownBy(() -> roundTrip.ask("a").get(5, SECONDS)).hasCauseInstanceOf(UnavailableException.class);

        assertThat(asked).hasSize(1);
        roundTrip.stop();
    }

    /** A database that comes back isn't kept busy with what its callers have long given up. */
    @Test
    void doesNotAskWhatHasQueuedForTooLong() throws Exception {
        Duration patience = Duration.ofSeconds(2);
        CountDownLatch repaired = new CountDownLatch(1);
        List<List<String>> asked = new CopyOnWriteArrayList<>();
        SharedRoundTrip<String, String> roundTrip = roundTrip(patience, questions -> {
            asked.add(questions);
            await(repaired);
            return questions;
        });
        CompletableFuture<String> first = roundTrip.ask("first");
        Awaitility.await().until(() -> !asked.isEmpty());
        CompletableFuture<String> late = roundTrip.ask("late");
        long queued = System.nanoTime();
        Awaitility.await().until(() -> System.nanoTime() - queued > patience.toNanos());
        repaired.countDown();

        assertThat(first.get(5, SECONDS)).isEqualTo("first");
        assertThatThrownBy(() -> late.get(5, SECONDS)).hasCauseInstanceOf(UnavailableException.class);
        assertThat(asked).containsExactly(List.of("first"));
        roundTrip.stop();
    }

    /** However long the database says nothing, and however many ask it, memory is not what ends it. */
    @Test
    void refusesAtOnceWhatFindsTheQueueFull() throws Exception {
        CountDownLatch repaired = new CountDownLatch(1);
        SharedRoundTrip<String, String> roundTrip = roundTrip(Duration.ofMinutes(1), questions -> {
            await(repaired);
            return questions;
        });
        List<CompletableFuture<String>> answers =
                Stream.generate(() -> roundTrip.ask("a")).limit(10_000).toList();

        List<CompletableFuture<String>> refused =
                answers.stream().filter(CompletableFuture::isDone).toList();
        repaired.countDown();

        assertThat(refused).hasSizeGreaterThan(5_000).allMatch(CompletableFuture::isCompletedExceptionally);
        // The others wait for their answer, which comes.
        for (CompletableFuture<String> answer : answers.subList(0, 4_000)) {
            assertThat(answer.get(5, SECONDS)).isEqualTo("a");
        }
        roundTrip.stop();
    }

    @Test
    void whatQueuesMeanwhileSharesTheNextRoundTripsUpToABound() throws Exception {
        CountDownLatch queued = new CountDownLatch(1);
        List<Integer> sizes = new CopyOnWriteArrayList<>();
        SharedRoundTrip<String, String> roundTrip = roundTrip(questions -> {
            sizes.add(questions.size());
            await(queued);
            return questions;
        });
        CompletableFuture<String> first = roundTrip.ask("first");
        Awaitility.await().until(() -> !sizes.isEmpty());
        List<CompletableFuture<String>> others =
                IntStream.range(0, 300).mapToObj(i -> roundTrip.ask("" + i)).toList();
        queued.countDown();

        assertThat(first.get(5, SECONDS)).isEqualTo("first");
        for (int i = 0; i < 300; i++) {
            assertThat(others.get(i).get(5, SECONDS)).isEqualTo("" + i);
        }
        assertThat(sizes).containsExactly(1, 256, 44);
        roundTrip.stop();
    }

    @Test
    void goesOnAfterAnError() throws Exception {
        List<List<String>> asked = new CopyOnWriteArrayList<>();
        SharedRoundTrip<String, String> roundTrip = roundTrip(questions -> {
            asked.add(questions);
            return switch (asked.size()) {
                case 1, 3 -> throw new OutOfMemoryError("made up");
                case 2 -> refuse(CHECK_VIOLATION);
                default -> questions;
            };
        });

        assertThatThrownBy(() -> roundTrip.ask("together").get(5, SECONDS))
                .hasCauseInstanceOf(UnavailableException.class);
        assertThatThrownBy(() -> roundTrip.ask("alone").get(5, SECONDS)).hasCauseInstanceOf(UnavailableException.class);
        assertThat(roundTrip.ask("after").get(5, SECONDS)).isEqualTo("after");
        assertThat(asked).containsExactly(List.of("together"), List.of("alone"), List.of("alone"), List.of("after"));
        roundTrip.stop();
    }

    @Test
    void answersWhatHasQueuedWhenItStopsAndTakesNoMore() throws Exception {
        CountDownLatch stopping = new CountDownLatch(1);
        List<List<String>> asked = new CopyOnWriteArrayList<>();
        SharedRoundTrip<String, String> roundTrip = roundTrip(questions -> {
            asked.add(questions);
            await(stopping);
            return questions;
        });
        CompletableFuture<String> first = roundTrip.ask("first");
        Awaitility.await().until(() -> !asked.isEmpty());
        CompletableFuture<String> queued = roundTrip.ask("queued");
        Thread stop = Thread.ofPlatform().start(() -> {
            try {
                roundTrip.stop();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        Awaitility.await().until(() -> stop.getState() == Thread.State.TIMED_WAITING);
        assertThat(roundTrip.ask("late")).isCompletedExceptionally();
        stopping.countDown();

        assertThat(first.get(5, SECONDS)).isEqualTo("first");
        assertThat(queued.get(5, SECONDS)).isEqualTo("queued");
        stop.join();
    }

    private static SharedRoundTrip<String, String> roundTrip(SharedRoundTrip.Statement<String, String> statement) {
        return roundTrip(Duration.ofSeconds(5), statement);
    }

    private static SharedRoundTrip<String, String> roundTrip(
            Duration patience, SharedRoundTrip.Statement<String, String> statement) {
        return new SharedRoundTrip<>("test", patience, statement);
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
