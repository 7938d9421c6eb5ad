package dev.countersign.fault;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Reply;
import dev.countersign.support.ServiceProcess;
import dev.countersign.support.TcpProxy;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.Test;

/** A hundred callers for each connection, and a database that is slow: some are served, the others told so in time. */
class ExhaustedPoolIT {

    private static final Logger LOG = Logger.getLogger(ExhaustedPoolIT.class);

    private static final int POOL = 5;
    private static final int CLIENTS = 500;
    private static final Duration DELAY = Duration.ofMillis(100);
    private static final Duration FAULT = Extent.seconds(6, 60);
    private static final String SESSION = "019ab3f2-6c40-8f21-9d3e-5a0c7b1e2f43";

    private final Ledger ledger = new Ledger();

    private final List<Function<ServiceClient, Reply>> calls =
            List.of(ledger::call, ledger::call, ledger::call, client -> client.read("demo", SESSION));

    @Test
    void smallPoolHangsNobody() throws Exception {
        try (PostgresServer database = PostgresServer.start();
                TcpProxy network = TcpProxy.to(database.port());
                ServiceProcess service = ServiceProcess.start(database, settings(network))) {
            database.execute("INSERT INTO app (app_id) VALUES ('demo')");
            Endurance endured = Endurance.of(
                    service,
                    ServiceLevel.onceUsed(service, CLIENTS, calls),
                    CLIENTS,
                    calls,
                    FAULT,
                    () -> network.delay(DELAY),
                    network::heal);
            ledger.audit(service.baseUri());
            LOG.infof(
                    "pool of %d, %d clients, database %d ms away for %d s: 200 %d, 404 %d, 504 %d, %s; %s",
                    POOL,
                    CLIENTS,
                    2 * DELAY.toMillis(),
                    FAULT.toSeconds(),
                    endured.count(200),
                    endured.count(404),
                    endured.count(504),
                    endured,
                    ledger);
            endured.assertThatNobodyHung();
            assertThat(endured.count(200) + endured.count(404) + endured.count(504))
                    .isEqualTo(endured.calls().size());
            assertThat(ledger.lost()).isZero();
            assertThat(endured.count(200)).as("some are served").isPositive();
        }
    }

    private static Map<String, String> settings(TcpProxy network) {
        Map<String, String> settings = new HashMap<>(ServiceProcess.DEFAULT_TIMEOUTS);
        settings.put("quarkus.datasource.jdbc.url", PostgresServer.jdbcUrl(network.port()));
        settings.put("quarkus.datasource.jdbc.max-size", Integer.toString(POOL));
        return settings;
    }
}
