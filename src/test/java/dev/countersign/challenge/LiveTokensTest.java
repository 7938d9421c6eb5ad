package dev.countersign.challenge;

import static dev.countersign.support.Tokens.create;
import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.ServiceTest;
import dev.countersign.support.TestDatabase;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.quarkus.test.junit.QuarkusTest;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** What is shown of the live tokens. */
@QuarkusTest
class LiveTokensTest extends ServiceTest {

    @Test
    void whatCannotBeCountedIsNotShown() {
        create("demo");
        SimpleMeterRegistry metrics = new SimpleMeterRegistry();
        PGSimpleDataSource database = TestDatabase.dataSource();
        LiveTokens liveTokens = new LiveTokens(database, metrics);
        liveTokens.count();
        assertThat(metrics.find("countersign.tokens.live").gauges()).isNotEmpty();
        database.setUrl("jdbc:postgresql://localhost:1/nowhere");
        liveTokens.count();
        assertThat(metrics.find("countersign.tokens.live").gauges()).isEmpty();
    }
}
