package dev.countersign.challenge;

import static dev.countersign.support.Tokens.create;
import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.ServiceTest;
import dev.countersign.support.TestDatabase;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import org.junit.jupiter.api.Test;

/** What is shown of the live tokens. */
@QuarkusTest
class LiveTokensTest extends ServiceTest {

    @Inject
    SessionPartitions partitions;

    @Inject
    ChallengeSessionRepository sessions;

    @Test
    void whatCannotBeCountedIsNotShown() {
        create("demo");
        SimpleMeterRegistry metrics = new SimpleMeterRegistry();
        LiveTokens liveTokens = new LiveTokens(partitions, sessions, metrics);
        liveTokens.count();
        assertThat(metrics.find("countersign.tokens.live").gauges()).isNotEmpty();
        TestDatabase.execute("ALTER FUNCTION live_sessions(text) RENAME TO mislaid");
        try {
            liveTokens.count();
            assertThat(metrics.find("countersign.tokens.live").gauges()).isEmpty();
        } finally {
            TestDatabase.execute("ALTER FUNCTION mislaid(text) RENAME TO live_sessions");
        }
    }
}
