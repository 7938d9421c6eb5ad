package dev.countersign.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.BOOLEAN;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How often the registry is asked whether apps are registered, and what happens when it does not answer. */
class KnownAppsTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Registry registry = new Registry();
    private final KnownApps known = new KnownApps(registry, threads);

    @AfterEach
    void endThreads() {
        registry.mayAnswer.countDown();
        threads.close();
    }

    /** A caller that makes up app IDs must not take all connections. */
    @Test
    void oneStatementAsksForAllThatWait() {
        CompletableFuture<Boolean> first = firstWhichIsNotAnswered();
        List<CompletableFuture<Boolean>> others = IntStream.range(0, 2500)
                .mapToObj(i -> known.isRegistered("app" + i % 1250))
                .toList();
        CompletableFuture<Boolean> registered = known.isRegistered("shop");
        registry.mayAnswer.countDown();
        assertThat(first).succeedsWithin(TIMEOUT, BOOLEAN).isFalse();
        assertThat(others)
                .allSatisfy(answer ->
                        assertThat(answer).succeedsWithin(TIMEOUT, BOOLEAN).isFalse());
        assertThat(registered).succeedsWithin(TIMEOUT, BOOLEAN).isTrue();
        assertThat(registry.asked).hasValue(3);
    }

    @Test
    void firstToWaitIsAskedFirst() {
        CompletableFuture<Boolean> first = firstWhichIsNotAnswered();
        CompletableFuture<Integer> statements = known.isRegistered("shop").thenApply(is -> registry.asked.get());
        List<CompletableFuture<Boolean>> others = IntStream.range(0, 5000)
                .mapToObj(i -> known.isRegistered("app" + i))
                .toList();
        registry.mayAnswer.countDown();
        assertThat(statements).succeedsWithin(TIMEOUT).isEqualTo(2);
        assertThat(others).last().satisfies(last -> assertThat(last).succeedsWithin(TIMEOUT));
        assertThat(first).isCompletedWithValue(false);
    }

    @Test
    void errorLeavesNoCallUnanswered() {
        registry.failure = new OutOfMemoryError("made up");
        assertThat(known.isRegistered("shop")).failsWithin(TIMEOUT);
        registry.failure = null;
        assertThat(known.isRegistered("shop")).succeedsWithin(TIMEOUT, BOOLEAN).isTrue();
    }

    /** While the database is away, made-up IDs would otherwise pile up, a statement for each thousand. */
    @Test
    void failureFailsAllThatWait() {
        CompletableFuture<Boolean> first = firstWhichIsNotAnswered();
        List<CompletableFuture<Boolean>> others = IntStream.range(0, KnownApps.MOST_WAITING)
                .mapToObj(i -> known.isRegistered("app" + i))
                .toList();
        assertThat(known.isRegistered("shop")).isCompletedExceptionally();
        registry.failure = new IllegalStateException("It is away");
        registry.mayAnswer.countDown();
        assertThat(first).failsWithin(TIMEOUT);
        assertThat(others).allSatisfy(answer -> assertThat(answer).failsWithin(TIMEOUT));
        assertThat(registry.asked).hasValue(1);
        registry.failure = null;
        assertThat(known.isRegistered("shop")).succeedsWithin(TIMEOUT, BOOLEAN).isTrue();
    }

    /** A slice that fails says nothing about those before it. */
    @Test
    void failedSliceForgetsOnlyWhatWasNotAsked() {
        registry.apps = IntStream.range(0, 2500).mapToObj(i -> "app" + i).collect(Collectors.toSet());
        registry.apps.forEach(app -> known.isRegistered(app).join());
        registry.answersLeft = 2;
        known.refresh();
        registry.answersLeft = Integer.MAX_VALUE;
        int before = registry.asked.get();
        registry.apps.forEach(app -> known.isRegistered(app).join());
        assertThat(registry.asked).hasValue(before + 500);
    }

    @Test
    void failedQuestionIsAskedAgain() {
        registry.failure = new IllegalStateException("It is away");
        assertThat(known.isRegistered("shop")).failsWithin(TIMEOUT);
        registry.failure = null;
        assertThat(known.isRegistered("shop")).succeedsWithin(TIMEOUT, BOOLEAN).isTrue();
    }

    /** Otherwise all calls of a busy service would ask at once, whenever it forgot. */
    @Test
    void noCallAsksAboutAKnownAppAgain() {
        known.isRegistered("shop").join();
        known.refresh();
        int before = registry.asked.get();
        assertThat(known.isRegistered("shop")).isCompletedWithValue(true);
        assertThat(registry.asked).hasValue(before);
    }

    @Test
    void deletedAppIsForgottenWithinAMinute() {
        known.isRegistered("shop").join();
        registry.apps = Set.of();
        assertThat(known.isRegistered("shop")).isCompletedWithValue(true);
        known.refresh();
        assertThat(known.isRegistered("shop").join()).isFalse();
    }

    @Test
    void whatCannotBeRefreshedIsForgotten() {
        known.isRegistered("shop").join();
        registry.failure = new IllegalStateException("It is away");
        known.refresh();
        assertThat(known.isRegistered("shop")).failsWithin(TIMEOUT);
    }

    @Test
    void manyAppsAreRefreshedInSlices() {
        registry.apps = IntStream.range(0, 2500).mapToObj(i -> "app" + i).collect(Collectors.toSet());
        registry.apps.forEach(app -> known.isRegistered(app).join());
        registry.apps = Set.of("app7");
        int before = registry.asked.get();
        known.refresh();
        assertThat(registry.asked).hasValue(before + 3);
        assertThat(known.isRegistered("app7")).isCompletedWithValue(true);
        assertThat(known.isRegistered("app8").join()).isFalse();
    }

    @Test
    void threadThatCannotStartLeavesNoQuestionBehind() {
        ExecutorService full = Executors.newVirtualThreadPerTaskExecutor();
        full.close();
        KnownApps another = new KnownApps(registry, full);
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> another.isRegistered("shop")).isInstanceOf(RejectedExecutionException.class);
        }
    }

    /** Or one that is registered a moment later would share its bucket with callers that make up IDs. */
    @Test
    void unregisteredAppIsNotRemembered() {
        assertThat(known.isRegistered("new").join()).isFalse();
        registry.apps = Set.of("new");
        assertThat(known.isRegistered("new").join()).isTrue();
    }

    /** Until {@code mayAnswer}, all later questions wait behind this one. */
    private CompletableFuture<Boolean> firstWhichIsNotAnswered() {
        registry.mayAnswer = new CountDownLatch(1);
        CompletableFuture<Boolean> first = known.isRegistered("first");
        Awaitility.await().until(() -> registry.asked.get() == 1);
        return first;
    }

    private static final class Registry implements RegisteredApps {

        private final AtomicInteger asked = new AtomicInteger();
        private volatile Set<String> apps = Set.of("shop");
        private volatile CountDownLatch mayAnswer = new CountDownLatch(0);
        private volatile @Nullable Throwable failure;
        private int answersLeft = Integer.MAX_VALUE;

        @Override
        public Map<String, Integer> createTokensPerMinute(int most) {
            throw new UnsupportedOperationException();
        }

        @Override
        public Set<String> registered(Set<String> appIds) {
            asked.incrementAndGet();
            try {
                mayAnswer.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            if (failure instanceof Error error) {
                throw error;
            } else if (failure instanceof RuntimeException exception) {
                throw exception;
            } else if (answersLeft-- == 0) {
                throw new IllegalStateException("It is away");
            }
            return appIds.stream().filter(apps::contains).collect(Collectors.toSet());
        }
    }
}
