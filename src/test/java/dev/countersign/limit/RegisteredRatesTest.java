package dev.countersign.limit;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
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

    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
    private final Registry registry = new Registry();
    private final RegisteredRates rates = new RegisteredRates(registry, clock);

    @AfterEach
    void endThread() {
        clock.close();
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
    void nothingIsReadAfterTheStop() {
        rates.stop(new ShutdownEvent());
        rates.read();
        assertThat(rates.rates()).isNotDone();
    }

    private static final class Registry implements RegisteredApps {

        private Map<String, Integer> apps = Map.of("shop", 60);
        private final AtomicInteger failed = new AtomicInteger();
        private boolean answers = true;
        private volatile @Nullable Error failure;

        @Override
        public Map<String, Integer> createTokensPerMinute(int most) {
            Error error = failure;
            if (error != null) {
                failed.incrementAndGet();
                throw error;
            } else if (!answers) {
                throw new IllegalStateException("It is away");
            }
            return apps.entrySet().stream()
                    .limit(most)
                    .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
        }

        @Override
        public Set<String> registered(Set<String> appIds) {
            throw new UnsupportedOperationException();
        }
    }
}
