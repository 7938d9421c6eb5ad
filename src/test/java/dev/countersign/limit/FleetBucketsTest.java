package dev.countersign.limit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.ServiceTest;
import dev.countersign.support.TestDatabase;
import io.quarkus.test.junit.QuarkusTest;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The buckets of replicas that share a database, and are not configured alike. */
@QuarkusTest
class FleetBucketsTest extends ServiceTest {

    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

    @AfterEach
    void endThreads() {
        threads.close();
    }

    @Test
    void changedBurstTakesHoldThoughTheBucketIsInUse() {
        FleetBuckets before = bucketsWithBurst("PT1S");
        assertThat(before.take("busy", 60).join()).isZero();
        assertThat(before.take("busy", 60).join()).isPositive();
        FleetBuckets after = bucketsWithBurst("PT1M");
        for (int i = 0; i < 30; i++) {
            assertThat(after.take("busy", 60).join()).isZero();
        }
    }

    @Test
    void onlyBucketsThatAreFullAgainAreRemoved() {
        TestDatabase.execute("""
                INSERT INTO limit_bucket (id, expires_at)
                SELECT 'full' || i, (extract(epoch FROM now()) * 1000)::bigint - 1 FROM generate_series(1, 2500) AS i
                UNION ALL
                SELECT 'in use', (extract(epoch FROM now()) * 1000)::bigint + 60000
                """);
        bucketsWithBurst("PT3S").removeFull();
        assertThat(TestDatabase.query("SELECT id FROM limit_bucket WHERE id LIKE 'full%' OR id = 'in use'"))
                .containsExactly("in use");
    }

    private FleetBuckets bucketsWithBurst(String burst) {
        LimitConfig config = new SmallRyeConfigBuilder()
                .withMapping(LimitConfig.class)
                .withDefaultValue("countersign.limit.burst", burst)
                .build()
                .getConfigMapping(LimitConfig.class);
        return new FleetBuckets(TestDatabase.dataSource(), config, threads);
    }
}
