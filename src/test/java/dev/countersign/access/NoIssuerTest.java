package dev.countersign.access;

import static org.assertj.core.api.Assertions.assertThatCode;

import dev.countersign.support.PostgresResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A service without an issuer of bearer tokens, as the README sets it up. */
@QuarkusTest
@TestProfile(NoIssuerTest.WithoutIssuer.class)
class NoIssuerTest {

    @Inject
    IssuerKeys keys;

    /** A failure would be logged as an error every five minutes. */
    @Test
    void refreshOfNoKeysDoesNotFail() {
        assertThatCode(() -> keys.refresh().await().atMost(Duration.ofSeconds(5)))
                .doesNotThrowAnyException();
    }

    /** Leaves out the issuer of the other tests. */
    public static class WithoutIssuer implements QuarkusTestProfile {

        @Override
        public boolean disableGlobalTestResources() {
            return true;
        }

        @Override
        public List<TestResourceEntry> testResources() {
            return List.of(new TestResourceEntry(PostgresResource.class));
        }
    }
}
