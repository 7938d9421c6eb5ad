package dev.countersign.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Apps that the configuration registers. */
class ConfiguredAppIT {

    private static final Map<String, String> BLOG = Map.of(
            "countersign.apps.blog.display-name", "The blog",
            "countersign.apps.blog.ttl-seconds", "60",
            "countersign.apps.blog.create-token-per-minute", "600");

    private PostgresServer database;

    @BeforeEach
    void startDatabase() {
        database = PostgresServer.start();
    }

    @AfterEach
    void stopDatabase() {
        database.close();
    }

    @Test
    void configuredAppIsShownAndUsedAndTheApiCanNotChangeIt() throws Exception {
        try (ServiceProcess service = ServiceProcess.start(database, BLOG);
                ServiceClient client = new ServiceClient(service.baseUri())) {
            assertThat(client.app("blog").body())
                    .contains("\"The blog\"", "\"ttlSeconds\":60", "\"createTokenPerMinute\":600");
            assertThat(client.create("blog").status()).isEqualTo(200);
            for (ServiceClient.Reply refused : List.of(client.registerApp("blog"), client.deleteApp("blog"))) {
                assertThat(refused.status()).isEqualTo(409);
                assertThat(refused.body()).contains("set by the service's configuration");
            }
            assertThat(client.create("blog").status()).isEqualTo(200);
            assertThat(client.registerApp("other").status()).isEqualTo(201);
            assertThat(client.deleteApp("other").status()).isEqualTo(204);
            // What still waits is then written.
            service.stop();
            assertThat(Files.readString(service.log()))
                    .containsOnlyOnce("event=app-register outcome=done app=blog")
                    .contains("event=app-change outcome=refused reason=configured principal=sdk app=blog")
                    .contains("event=app-delete outcome=refused reason=configured principal=sdk app=blog");
        }
    }

    @Test
    void nextStartChangesWhatIsConfiguredAndEndsNoToken() throws Exception {
        ServiceClient.Token token;
        try (ServiceProcess service = ServiceProcess.start(database, BLOG);
                ServiceClient client = new ServiceClient(service.baseUri())) {
            token = ServiceClient.Token.of(client.create("blog"));
        }
        try (ServiceProcess service = ServiceProcess.start(database, BLOG)) {
            service.stop();
            assertThat(Files.readString(service.log())).doesNotContain("event=app-");
        }
        try (ServiceProcess service =
                        ServiceProcess.start(database, Map.of("countersign.apps.blog.ttl-seconds", "120"));
                ServiceClient client = new ServiceClient(service.baseUri())) {
            assertThat(client.app("blog").body())
                    .contains("\"ttlSeconds\":120")
                    .doesNotContain("displayName", "createTokenPerMinute");
            assertThat(client.redeem("blog", token.session(), token.code()).isSuccess())
                    .isTrue();
        }
        try (ServiceProcess service = ServiceProcess.start(database);
                ServiceClient client = new ServiceClient(service.baseUri())) {
            assertThat(client.registerApp("blog").status()).isEqualTo(200);
            assertThat(client.deleteApp("blog").status()).isEqualTo(204);
        }
    }

    @Test
    void replicasThatStartTogetherRegisterAnAppOnce() throws Exception {
        List<ServiceProcess> replicas = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(3)) {
            Callable<ServiceProcess> replica = () -> ServiceProcess.start(database, BLOG);
            for (Future<ServiceProcess> start : threads.invokeAll(List.of(replica, replica, replica))) {
                replicas.add(start.get());
            }
            assertThat(replicas.stream()
                            .mapToLong(ConfiguredAppIT::registrations)
                            .sum())
                    .isEqualTo(1);
        } finally {
            replicas.forEach(ServiceProcess::close);
        }
    }

    private static long registrations(ServiceProcess replica) {
        try {
            return Files.readAllLines(replica.log()).stream()
                    .filter(line -> line.contains("event=app-register"))
                    .count();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
