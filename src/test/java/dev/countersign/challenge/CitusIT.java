package dev.countersign.challenge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.Program;
import dev.countersign.support.ServiceProcess;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** What is different on Citus. src/bench/citus runs this, and tests of the operations and of faults. */
@EnabledIfSystemProperty(
        named = "countersign.test.citus",
        matches = ".+",
        disabledReason = "-Dcountersign.test.citus=<directory of a PostgreSQL with Citus> names none")
class CitusIT {

    @Test
    void workerThatIsNotDurableEndsTheStart() {
        try (PostgresServer database = PostgresServer.start()) {
            PostgresServer worker = database.nodes().getLast();
            worker.execute("ALTER SYSTEM SET synchronous_commit = off");
            worker.execute("SELECT pg_reload_conf()");

            Program.Run start = ServiceProcess.runToEnd(database, Map.of());

            assertThat(start.exit()).as(start.out()).isNotZero();
            assertThat(start.out()).contains("localhost:" + worker.port() + " (off)");
        }
    }

    @Test
    void workerThatIsDownEndsTheStart() {
        try (PostgresServer database = PostgresServer.start()) {
            PostgresServer worker = database.nodes().getLast();
            worker.stopImmediately();

            Program.Run start = ServiceProcess.runToEnd(database, Map.of());

            assertThat(start.exit()).as(start.out()).isNotZero();
            assertThat(start.out()).contains("localhost:" + worker.port());
            worker.startAgain();
        }
    }
}
