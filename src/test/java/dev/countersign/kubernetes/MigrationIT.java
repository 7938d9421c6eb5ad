package dev.countersign.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.Program;
import dev.countersign.support.ServiceProcess;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.smallrye.config.EnvConfigSource;
import io.smallrye.config.SmallRyeConfig;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The package, run as the Job of the manifests runs it. */
class MigrationIT {

    /** For longer than a request may take, and than a transaction of one may do nothing: Flyway's lock is such a transaction. */
    @Test
    void migrationWaitsForAsLongAsAStatementTakes() throws Exception {
        Map<String, String> job = new HashMap<>(ServiceProcess.DEFAULT_TIMEOUTS);
        job.putAll(settings(environment()));
        try (PostgresServer database = PostgresServer.start();
                Connection other = database.connect();
                Statement statement = other.createStatement();
                ExecutorService threads = Executors.newSingleThreadExecutor()) {
            other.setAutoCommit(false);
            statement.execute("CREATE TABLE app ()");
            Future<Program.Run> migration = threads.submit(() -> ServiceProcess.runToEnd(database, job));
            await().atMost(Duration.ofSeconds(60))
                    .until(() -> database.ask("SELECT count(*) FROM pg_locks WHERE NOT granted") == 1);
            statement.execute("SELECT pg_sleep(7)");
            other.rollback();
            assertThat(migration.get().exit()).isZero();
        }
    }

    /** By their names in application.properties, as the service itself would read them. */
    private static Map<String, String> settings(Map<String, String> environment) {
        SmallRyeConfig read = new SmallRyeConfigBuilder()
                .withSources(new EnvConfigSource(environment, 300))
                .build();
        return Stream.of("quarkus.init-and-exit", "quarkus.flyway.migrate-at-start")
                .collect(Collectors.toMap(Function.identity(), name -> read.getValue(name, String.class)));
    }

    private static Map<String, String> environment() {
        Job job = Variant.BASE.resources().stream()
                .filter(Job.class::isInstance)
                .map(Job.class::cast)
                .findFirst()
                .orElseThrow();
        return job.getSpec().getTemplate().getSpec().getContainers().getFirst().getEnv().stream()
                .filter(variable -> variable.getValue() != null)
                .collect(Collectors.toMap(EnvVar::getName, EnvVar::getValue));
    }
}
