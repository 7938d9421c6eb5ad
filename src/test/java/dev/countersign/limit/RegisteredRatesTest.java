package dev.countersign.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.BOOLEAN;

import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Rates that are read in the background, of a registry that may not answer. */
class RegisteredRatesTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(5);

    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final Registry registry = new Registry();
    private final RegisteredRates rates = new RegisteredRates(registry, clock, threads);

    @AfterEach
    void endThreads() {
        clock.close();
        threads.close();
    }

    @Test
    void nothingIsKnownBeforeTheFirstReading() {
        registry.answers = false;
        rates.read();
        assertThat(rates.rates()).isNotDone();
        registry.answers = true;
        var asked = rates.rates();
        rates.read();
        assertThat(asked).isCompletedWithValue(Map.of("shop", 60));
    }

    @Test
    void lastKnownHoldWhileTheRegistryDoesNotAnswer() {
        rates.read();
        registry.answers = false;
        registry.apps = Map.of();
        rates.read();
        assertThat(rates.rates()).isCompletedWithValue(Map.of("shop", 60));
        registry.answers = true;
        rates.read();
        assertThat(rates.rates()).isCompletedWithValue(Map.of());
    }

    @Test
    void errorDoesNotEndTheReadings() {
        registry.failure = new OutOfMemoryError("made up");
        rates.start(new StartupEvent());
        Awaitility.await().until(() -> registry.failed.get() > 1);
        registry.failure = null;
        assertThat(rates.rates()).succeedsWithin(Duration.ofSeconds(5));
        rates.stop(new ShutdownEvent());
    }

    @Test
    void memoryIsBounded() {
        registry.apps = IntStream.range(0, RegisteredRates.MOST_APPS + 5)
                .boxed()
                .collect(Collectors.toMap(i -> "app" + i, i -> 1 + i));
        rates.read();
        assertThat(rates.rates().join()).hasSizeLessThanOrEqualTo(RegisteredRates.MOST_APPS);
    }

    @Test
    void callsAtOnceShareOneQuestion() {
        registry.mayAnswer = new CountDownLatch(1);
        List<CompletableFuture<Boolean>> answers =
                IntStream.range(0, 64).mapToObj(i -> rates.isRegistered("shop")).toList();
        registry.mayAnswer.countDown();
        assertThat(answers)
                .allSatisfy(answer ->
                        assertThat(answer).succeedsWithin(TIMEOUT, BOOLEAN).isTrue());
        assertThat(registry.asked).hasValue(1);
    }

    @Test
    void failedQuestionIsAskedAgain() {
        registry.failure = new IllegalStateException("It is away");
        assertThat(rates.isRegistered("shop")).failsWithin(TIMEOUT);
        registry.failure = null;
        assertThat(rates.isRegistered("shop")).succeedsWithin(TIMEOUT, BOOLEAN).isTrue();
    }

    /** Otherwise all calls of a busy service would ask at once, whenever it forgot. */
    @Test
    void noCallAsksAboutAKnownAppAgain() {
        rates.isRegistered("shop").join();
        rates.refresh();
        int before = registry.asked.get();
        assertThat(rates.isRegistered("shop")).isCompletedWithValue(true);
        assertThat(registry.asked).hasValue(before);
    }

    @Test
    void deletedAppIsForgottenWithinAMinute() {
        rates.isRegistered("shop").join();
        registry.apps = Map.of();
        assertThat(rates.isRegistered("shop")).isCompletedWithValue(true);
        rates.refresh();
        assertThat(rates.isRegistered("shop").join()).isFalse();
    }

    @Test
    void whatCannotBeRefreshedIsForgotten() {
        rates.isRegistered("shop").join();
        registry.failure = new IllegalStateException("It is away");
        rates.refresh();
        assertThat(rates.isRegistered("shop")).failsWithin(TIMEOUT);
    }

    @Test
    void manyAppsAreRefreshedInSlices() {
        registry.apps = IntStream.range(0, 2500).boxed().collect(Collectors.toMap(i -> "app" + i, i -> 1));
        registry.apps.keySet().forEach(app -> rates.isRegistered(app).join());
        registry.apps = Map.of("app7", 1);
        int before = registry.asked.get();
        rates.refresh();
        assertThat(registry.asked).hasValue(before + 3);
        assertThat(rates.isRegistered("app7")).isCompletedWithValue(true);
        assertThat(rates.isRegistered("app8").join()).isFalse();
    }

    @Test
    void threadThatCannotStartLeavesNoQuestionBehind() {
        ExecutorService full = Executors.newVirtualThreadPerTaskExecutor();
        full.close();
        RegisteredRates another = new RegisteredRates(registry, clock, full);
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> another.isRegistered("shop")).isInstanceOf(RejectedExecutionException.class);
        }
    }

    @Test
    void nothingIsReadAfterTheStop() {
        rates.stop(new ShutdownEvent());
        rates.read();
        assertThat(rates.rates()).isNotDone();
    }

    /** Or one that is registered a moment later would share its bucket with callers that make up IDs. */
    @Test
    void unregisteredAppIsNotRemembered() {
        assertThat(rates.isRegistered("new").join()).isFalse();
        registry.apps = Map.of("new", 1);
        assertThat(rates.isRegistered("new").join()).isTrue();
    }

    private static final class Registry implements RegisteredApps {

        private final AtomicInteger asked = new AtomicInteger();
        private Map<String, Integer> apps = Map.of("shop", 60);
        private final AtomicInteger failed = new AtomicInteger();
        private boolean answers = true;
        private volatile CountDownLatch mayAnswer = new CountDownLatch(0);
        private volatile @Nullable Throwable failure;

        @Override
        public Map<String, Integer> createTokensPerMinute(int most) {
            fail();
            if (!answers) {
                throw new IllegalStateException("It is away");
            }
            return apps.entrySet().stream()
                    .limit(most)
                    .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
        }

        private void fail() {
            if (failure instanceof Error error) {
                failed.incrementAndGet();
                throw error;
            } else if (failure instanceof RuntimeException exception) {
                throw exception;
            }
        }

        @Override
        public Set<String> registered(Set<String> appIds) {
            asked.incrementAndGet();
            fail();
            try {
                mayAnswer.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            return appIds.stream().filter(apps::containsKey).collect(Collectors.toSet());
        }
    }
}
