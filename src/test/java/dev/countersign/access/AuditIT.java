package dev.countersign.access;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Each event is one JSON record in production, with the fields that docs/operations.md lists, and tells the reason. */
class AuditIT {

    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void everyEventIsOneRecordThatTellsWhoDidWhatAndWhy() throws IOException {
        try (PostgresServer database = PostgresServer.start();
                ServiceProcess service = ServiceProcess.start(database);
                ServiceClient client = new ServiceClient(service.baseUri());
                ServiceClient nobody = new ServiceClient(service.baseUri(), (method, path, body) -> Map.of())) {
            database.execute("INSERT INTO app (app_id) VALUES ('demo')");
            JsonNode token = JSON.readTree(client.create("demo").body());
            String session = token.path("sessionId").asText();
            String code = token.path("challengeCode").asText();
            client.create("unregistered");
            client.read("demo", session);
            client.redeem("demo", session, "wrong");
            client.redeem("demo", session, code, "key");
            client.redeem("demo", session, code, "key");
            client.redeem("demo", session, code);
            client.read("demo", session);
            String locked = JSON.readTree(client.create("demo").body())
                    .path("sessionId")
                    .asText();
            for (int i = 0; i < 6; i++) {
                client.redeem("demo", locked, "wrong");
            }
            client.remove("demo", locked);
            nobody.create("demo");

            assertThat(events(service))
                    .containsExactly(
                            "issue done sdk demo",
                            "issue refused unknown app sdk unregistered",
                            "read done sdk demo",
                            "redeem refused wrong code sdk demo",
                            "redeem done sdk demo",
                            "redeem repeated sdk demo",
                            "redeem refused redeemed sdk demo",
                            "read refused no live token sdk demo",
                            "issue done sdk demo",
                            "redeem refused wrong code sdk demo",
                            "redeem refused wrong code sdk demo",
                            "redeem refused wrong code sdk demo",
                            "redeem refused wrong code sdk demo",
                            "redeem refused wrong code sdk demo",
                            "lock done sdk demo",
                            "redeem refused locked sdk demo",
                            "remove refused no live token sdk demo",
                            "access refused MissingAuthenticationTokenException demo");
        }
    }

    private static List<String> events(ServiceProcess service) throws IOException {
        List<String> events = new ArrayList<>();
        for (String line : Files.readAllLines(service.log())) {
            if (line.contains("countersign.audit")) {
                JsonNode record = JSON.readTree(line).path("mdc");
                assertThat(record.path("requestId").asText()).matches("[0-9a-f-]{36}");
                List<String> fields = new ArrayList<>();
                for (String name : List.of("event", "outcome", "reason", "principal", "app")) {
                    if (record.has(name)) {
                        fields.add(record.path(name).asText());
                    }
                }
                events.add(String.join(" ", fields));
            }
        }
        return events;
    }
}
