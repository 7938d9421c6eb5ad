package dev.countersign.fault;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceProcess;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Somebody's transaction has locked a row or the table, for longer than a request has. */
class LockedDatabaseIT {

    private static final Logger LOG = Logger.getLogger(LockedDatabaseIT.class);
    private static final int POOL = 16;
    private static final Duration NEIGHBOUR = Duration.ofMillis(500);
    private static final int SECONDS_LOCKED = Extent.times(8, 30);

    private static PostgresServer database;
    private static ServiceProcess service;

    @BeforeAll
    static void start() {
        database = PostgresServer.start();
        service = ServiceProcess.start(database, ServiceProcess.DEFAULT_TIMEOUTS);
        database.execute("INSERT INTO app (app_id) VALUES ('demo')");
        try (ServiceClient client = client()) {
            for (int i = 0; i < 200; i++) {
                redeem(client, Token.of(client.create("demo")));
            }
        }
    }

    @AfterAll
    static void stop() {
        service.close();
        database.close();
    }

    @Test
    void lockedRowHoldsUpNoNeighbour() throws Exception {
        try (ExecutorService clients = Executors.newCachedThreadPool();
                Connection other = database.connect();
                Statement lock = other.createStatement();
                ServiceClient client = client()) {
            Token locked = Token.of(client.create("demo"));
            List<Token> neighbours = Stream.generate(() -> Token.of(client.create("demo")))
                    .limit(200)
                    .toList();
            other.setAutoCommit(false);
            lock.execute("SELECT FROM challenge_session WHERE session_id = '" + locked.session() + "' FOR UPDATE");
            List<Future<Integer>> waiting = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                waiting.add(clients.submit(() -> {
                    try (ServiceClient mine = client()) {
                        return redeem(mine, locked);
                    }
                }));
            }
            long longest = 0;
            for (Token neighbour : neighbours) {
                long before = System.nanoTime();
                assertThat(redeem(client, neighbour)).isEqualTo(200);
                longest = Math.max(longest, System.nanoTime() - before);
            }
            for (Future<Integer> call : waiting) {
                assertThat(call.get()).isEqualTo(504);
            }
            other.rollback();
            LOG.infof("a row locked: longest redeem of %d neighbours %d ms", neighbours.size(), longest / 1_000_000);
            assertThat(Duration.ofNanos(longest)).isLessThan(NEIGHBOUR);
            assertThat(redeem(client, locked)).as("nobody's late redeem").isEqualTo(200);
        }
    }

    @Test
    void whatWasAnswered504IsNotDoneWhenTheTableIsFreeAgain() throws Exception {
        try (ExecutorService clients = Executors.newCachedThreadPool();
                Connection other = database.connect();
                Statement lock = other.createStatement();
                ServiceClient client = client()) {
            List<Token> tokens = Stream.generate(() -> Token.of(client.create("demo")))
                    .limit(50)
                    .toList();
            other.setAutoCommit(false);
            lock.execute("LOCK TABLE challenge_session IN SHARE MODE");
            long until = System.nanoTime() + Duration.ofSeconds(SECONDS_LOCKED).toNanos();
            List<Future<?>> calls = new ArrayList<>();
            for (Token token : tokens) {
                calls.add(clients.submit(() -> {
                    try (ServiceClient mine = client()) {
                        while (System.nanoTime() < until) {
                            assertThat(redeem(mine, token)).isEqualTo(504);
                        }
                    }
                }));
            }
            while (System.nanoTime() < until) {
                assertThat(connections()).isLessThanOrEqualTo(POOL);
                Thread.sleep(100);
            }
            for (Future<?> call : calls) {
                call.get();
            }
            other.rollback();
            Thread.sleep(3000);
            assertThat(database.ask("SELECT count(*) FROM challenge_session WHERE state = 'redeemed' AND settled_at >"
                            + " now() - interval '4 seconds'"))
                    .isZero();
            assertThat(connections()).isLessThanOrEqualTo(POOL);
            assertThat(redeem(client, tokens.getFirst())).isEqualTo(200);
        }
    }

    private static long connections() throws SQLException {
        return database.ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'countersign'");
    }

    private static int redeem(ServiceClient client, Token token) {
        return client.redeem(token.app(), token.session(), token.code()).status();
    }

    private static ServiceClient client() {
        return new ServiceClient(service.baseUri());
    }
}
