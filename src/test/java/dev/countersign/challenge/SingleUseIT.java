package dev.countersign.challenge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceProcess;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Many clients at once on each code, against one packaged service and against two on one database. With {@code
 * -Dcountersign.test.codes=100000 -Dcountersign.test.clients=8} it takes long.
 */
class SingleUseIT {

    private static final Logger LOG = Logger.getLogger(SingleUseIT.class);

    private static final int CLIENTS = Integer.getInteger("countersign.test.clients", 64);
    private static final int CODES = Integer.getInteger("countersign.test.codes", 1000);

    private static PostgresServer database;
    private static ServiceProcess one;
    private static ServiceProcess two;

    @BeforeAll
    static void start() {
        database = PostgresServer.start();
        one = ServiceProcess.start(database);
        two = ServiceProcess.start(database);
        database.execute("INSERT INTO app (app_id, ttl_seconds) VALUES ('demo', 3600)");
    }

    @AfterAll
    static void stop() {
        two.close();
        one.close();
        database.close();
    }

    @Test
    void eachCodeWorksExactlyOnceHoweverConcurrentTheCalls() throws Exception {
        assertEachCodeWorksExactlyOnce(List.of(one));
    }

    @Test
    void eachCodeWorksExactlyOnceInWhateverProcess() throws Exception {
        assertEachCodeWorksExactlyOnce(List.of(one, two));
    }

    private static void assertEachCodeWorksExactlyOnce(List<ServiceProcess> services) throws Exception {
        List<Token> tokens = create(services.getFirst());
        Map<Integer, Integer> statuses = new TreeMap<>();
        int[] successes = new int[CODES];
        CyclicBarrier together = new CyclicBarrier(CLIENTS);
        try (ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<int[]>> results = new ArrayList<>();
            for (int client = 0; client < CLIENTS; client++) {
                ServiceProcess service = services.get(client % services.size());
                results.add(clients.submit(() -> redeemAll(service, tokens, together)));
            }
            for (Future<int[]> result : results) {
                int[] replies = result.get();
                for (int code = 0; code < CODES; code++) {
                    statuses.merge(replies[code], 1, Integer::sum);
                    successes[code] += replies[code] == 200 ? 1 : 0;
                }
            }
        }
        int doubles = 0;
        for (int count : successes) {
            doubles += count > 1 ? 1 : 0;
        }
        LOG.infof(
                "processes %d, clients %d, codes %d, attempts %d, successes %d, double redeems %d",
                services.size(), CLIENTS, CODES, CLIENTS * CODES, statuses.getOrDefault(200, 0), doubles);
        assertThat(doubles).isZero();
        assertThat(statuses).isEqualTo(Map.of(200, CODES, 404, CODES * (CLIENTS - 1)));
    }

    private static int[] redeemAll(ServiceProcess service, List<Token> tokens, CyclicBarrier together)
            throws Exception {
        int[] statuses = new int[tokens.size()];
        try (ServiceClient client = new ServiceClient(service.baseUri())) {
            for (int i = 0; i < statuses.length; i++) {
                Token token = tokens.get(i);
                together.await();
                statuses[i] = client.redeem(token.app(), token.session(), token.code())
                        .status();
            }
        }
        return statuses;
    }

    private static List<Token> create(ServiceProcess service) {
        List<Token> tokens = new ArrayList<>();
        try (ServiceClient client = new ServiceClient(service.baseUri())) {
            for (int i = 0; i < CODES; i++) {
                tokens.add(Token.of(client.create("demo")));
            }
        }
        return tokens;
    }
}
