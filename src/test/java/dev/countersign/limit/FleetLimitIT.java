package dev.countersign.limit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceProcess;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.Test;

/** Two packaged services on one database, both flooded: a limit is the limit of both together. */
class FleetLimitIT {

    private static final Logger LOG = Logger.getLogger(FleetLimitIT.class);

    private static final int PER_MINUTE = 600;
    private static final int CLIENTS = 8;

    /** With {@code -Dcountersign.test.flood=PT1M} it shows what a whole minute admits. */
    private static final Duration FLOOD = Duration.parse(System.getProperty("countersign.test.flood", "PT10S"));

    @Test
    void twoProcessesTogetherAdmitNoMoreThanATenthAboveTheLimit() throws Exception {
        try (PostgresServer database = PostgresServer.start();
                ServiceProcess one = ServiceProcess.start(database);
                ServiceProcess two = ServiceProcess.start(database)) {
            database.execute("INSERT INTO app (app_id, create_token_per_minute) VALUES ('demo', " + PER_MINUTE + ")");
            // When every replica knows of it.
            Thread.sleep(Duration.ofSeconds(1));
            long start = System.nanoTime();
            Map<Integer, Integer> statuses = flood(List.of(one, two));
            double minutes =
                    (System.nanoTime() - start) / (double) Duration.ofMinutes(1).toNanos();

            int admitted = statuses.getOrDefault(200, 0);
            // What is above the limit comes at the start, and then never again: a tenth of a minute's worth at most.
            double most = PER_MINUTE * (minutes + 0.1);
            LOG.infof(
                    "%d a minute, processes 2, %.1f s: replies %s, admitted %d, the limit alone %.0f, at most %.0f,"
                            + " writes to the bucket %d",
                    PER_MINUTE, minutes * 60, statuses, admitted, PER_MINUTE * minutes, most, bucketWrites(database));
            assertThat(statuses.keySet()).containsExactlyInAnyOrder(200, 429);
            assertThat(admitted).isBetween((int) (PER_MINUTE * minutes * 0.9), (int) most);
        }
    }

    private static Map<Integer, Integer> flood(List<ServiceProcess> services) throws Exception {
        Map<Integer, Integer> statuses = new TreeMap<>();
        long end = System.nanoTime() + FLOOD.toNanos();
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Map<Integer, Integer>>> all = new ArrayList<>();
            for (int client = 0; client < CLIENTS; client++) {
                ServiceProcess service = services.get(client % services.size());
                all.add(clients.submit(() -> create(service, end)));
            }
            for (Future<Map<Integer, Integer>> each : all) {
                each.get().forEach((status, count) -> statuses.merge(status, count, Integer::sum));
            }
        }
        return statuses;
    }

    private static Map<Integer, Integer> create(ServiceProcess service, long end) {
        Map<Integer, Integer> statuses = new TreeMap<>();
        try (ServiceClient client = new ServiceClient(service.baseUri())) {
            while (System.nanoTime() < end) {
                statuses.merge(client.create("demo").status(), 1, Integer::sum);
            }
        }
        return statuses;
    }

    private static long bucketWrites(PostgresServer database) throws SQLException {
        try (Connection connection = database.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(
                        "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'limit_bucket'")) {
            return row.next() ? row.getLong(1) : 0;
        }
    }
}
