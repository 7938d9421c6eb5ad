package dev.countersign.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceProcess;
import java.util.ArrayList;
import java.util.List;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.Test;

/** An app that is deleted on one replica is gone on every other when the reply is there. */
class DeletedAppIT {

    private static final Logger LOG = Logger.getLogger(DeletedAppIT.class);

    private static final int ROUNDS = 50;

    @Test
    void tokensOfADeletedAppAreGoneAtOnceOnEveryReplica() {
        List<Integer> statuses = new ArrayList<>();
        try (PostgresServer database = PostgresServer.start();
                ServiceProcess here = ServiceProcess.start(database);
                ServiceProcess there = ServiceProcess.start(database);
                ServiceClient one = new ServiceClient(here.baseUri());
                ServiceClient other = new ServiceClient(there.baseUri())) {
            for (int round = 0; round < ROUNDS; round++) {
                assertThat(one.registerApp("demo").status()).isEqualTo(201);
                Token token = Token.of(other.create("demo"));
                assertThat(other.read("demo", token.session()).status()).isEqualTo(200);

                assertThat(one.deleteApp("demo").status()).isEqualTo(204);
                statuses.add(other.read("demo", token.session()).status());
                statuses.add(other.redeem("demo", token.session(), token.code()).status());
                statuses.add(other.remove("demo", token.session()).status());
                statuses.add(other.create("demo").status());
            }
        }
        LOG.infof(
                "deletions %d, calls on the other replica right after each %d, answered other than 404: %d",
                ROUNDS,
                statuses.size(),
                statuses.stream().filter(status -> status != 404).count());
        assertThat(statuses).hasSize(4 * ROUNDS).containsOnly(404);
    }
}
