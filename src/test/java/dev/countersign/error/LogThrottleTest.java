package dev.countersign.error;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class LogThrottleTest {

    @Test
    void subjectIsPermittedOnceInItsTime() {
        LogThrottle throttle = new LogThrottle(Duration.ofMinutes(1));
        assertThat(throttle.permits("a")).isTrue();
        assertThat(throttle.permits("b")).isTrue();
        assertThat(throttle.permits("a")).isFalse();
    }

    @Test
    void subjectIsPermittedAgainAfterwards() {
        LogThrottle throttle = new LogThrottle(Duration.ofNanos(-1));
        assertThat(throttle.permits("a")).isTrue();
        assertThat(throttle.permits("a")).isTrue();
    }

    /** Whoever may write rows can make up key IDs. */
    @Test
    void manySubjectsAreNotAllRemembered() {
        LogThrottle throttle = new LogThrottle(Duration.ofMinutes(1));
        throttle.permits("first");
        for (int i = 0; i < 100; i++) {
            throttle.permits("subject " + i);
        }
        assertThat(throttle.permits("subject 99")).isFalse();
        assertThat(throttle.permits("first")).isTrue();
    }
}
