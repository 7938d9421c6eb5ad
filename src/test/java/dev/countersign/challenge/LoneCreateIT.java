package dev.countersign.challenge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What a create after a pause asks of PostgreSQL, by the server's own log of statements. */
class LoneCreateIT {

    private static final String INSERT = "INSERT INTO challenge_session";

    /** Besides the pool's look at a connection that was idle. A statement without a BEGIN is a transaction of its own. */
    @Test
    void loneCreateIsOneStatementAndOneCommit() throws Exception {
        try (PostgresServer database = PostgresServer.start(Map.of(
                        "logging_collector", "on",
                        "log_statement", "all",
                        "log_min_duration_statement", "-1",
                        "log_line_prefix", "%p@"));
                ServiceProcess service = ServiceProcess.start(database, ServiceProcess.DEFAULT_TIMEOUTS);
                ServiceClient client = new ServiceClient(service.baseUri())) {
            database.execute("INSERT INTO app (app_id) VALUES ('demo')");
            assertThat(client.create("demo").status()).isEqualTo(200);
            List<List<String>> samples = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                Thread.sleep(3_000);
                int before = log(database).size();
                assertThat(client.create("demo").status()).isEqualTo(200);
                Thread.sleep(100);
                List<String> log = log(database);
                samples.add(statements(log.subList(before, log.size())));
            }
            // The background may have used the same connection in one of them, but not in all.
            assertThat(samples).anySatisfy(sample -> assertThat(sample).hasSize(1));
        }
    }

    /** Those of the connection that inserted. */
    private static List<String> statements(List<String> log) {
        String backend = log.stream()
                .filter(line -> line.contains(INSERT))
                .map(LoneCreateIT::backend)
                .findFirst()
                .orElseThrow();
        return log.stream()
                .filter(line -> backend(line).equals(backend))
                .filter(line -> line.contains("LOG:") && !line.contains("transaction_read_only"))
                .toList();
    }

    private static String backend(String line) {
        return line.substring(0, Math.max(0, line.indexOf('@')));
    }

    /** One line a statement: what a statement goes on with is joined to its first line. */
    private static List<String> log(PostgresServer database) throws IOException {
        StringBuilder text = new StringBuilder();
        try (Stream<Path> files = Files.list(database.dataDirectory().resolve("log"))) {
            for (Path file : files.sorted().toList()) {
                text.append(Files.readString(file));
            }
        }
        return List.of(text.toString().replaceAll("\n(?!\\d+@)", " ").split("\n"));
    }
}
