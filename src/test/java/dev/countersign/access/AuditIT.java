package dev.countersign.access;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Reply;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Each event is one JSON record in production, with the fields that docs/operations.md lists, and tells the reason. */
class AuditIT {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** The request ids of the replies, in their order. */
    private final List<String> replied = new ArrayList<>();

    @Test
    void everyEventIsOneRecordThatTellsWhoDidWhatAndWhy() throws IOException {
        try (PostgresServer database = PostgresServer.start();
                ServiceProcess service = ServiceProcess.start(
                        database,
                        Map.of(
                                "countersign.principals.sdk.apps", "demo,unregistered,web",
                                // Not the default, so that a lock shows which of them counts.
                                "countersign.challenge.max-attempts", "2"));
                ServiceClient client = new ServiceClient(service.baseUri());
                ServiceClient nobody = new ServiceClient(service.baseUri(), (method, path, body) -> Map.of())) {
            database.execute("INSERT INTO app (app_id) VALUES ('demo')");
            Token token = Token.of(noted(client.create("demo")));
            noted(client.create("unregistered"));
            noted(client.read("demo", token.session()));
            noted(client.redeem("demo", token.session(), "wrong"));
            noted(client.redeem("demo", token.session(), token.code(), "key"));
            noted(client.redeem("demo", token.session(), token.code(), "key"));
            noted(client.redeem("demo", token.session(), token.code()));
            noted(client.read("demo", token.session()));
            Token removed = Token.of(noted(client.create("demo")));
            noted(client.remove("demo", removed.session()));
            Token locked = Token.of(noted(client.create("demo")));
            for (int i = 0; i < 3; i++) {
                noted(client.redeem("demo", locked.session(), "wrong"));
            }
            noted(client.remove("demo", locked.session()));
            noted(client.registerApp("web"));
            noted(client.registerApp("web"));
            noted(client.deleteApp("web"));
            noted(client.create("foreign"));
            noted(nobody.create("demo"));

            List<JsonNode> records = records(service);
            assertThat(records.stream().map(AuditIT::event))
                    .containsExactly(
                            "issue done sdk demo",
                            "issue refused unknown app sdk unregistered",
                            "read done sdk demo",
                            "redeem refused wrong code sdk demo",
                            "redeem done sdk demo",
                            "redeem repeated sdk demo",
                            "redeem refused redeemed sdk demo",
                            "read refused redeemed sdk demo",
                            "issue done sdk demo",
                            "remove done sdk demo",
                            "issue done sdk demo",
                            "redeem refused wrong code sdk demo",
                            "redeem refused wrong code sdk demo",
                            "lock done sdk demo",
                            "redeem refused locked sdk demo",
                            "remove refused no live token sdk demo",
                            "app-register done sdk web",
                            "app-change done sdk web",
                            "app-delete done sdk web",
                            "access refused AccessDeniedException sdk foreign",
                            "access refused MissingAuthenticationTokenException demo");
            // A lock has a second record, of the same request.
            assertThat(records.stream()
                            .map(record -> record.path("requestId").asText())
                            .distinct())
                    .isEqualTo(replied)
                    .allMatch(id -> id.matches("[0-9a-f-]{36}"));
        }
    }

    private Reply noted(Reply reply) {
        replied.add(reply.requestId());
        return reply;
    }

    private static List<JsonNode> records(ServiceProcess service) throws IOException {
        List<JsonNode> records = new ArrayList<>();
        for (String line : Files.readAllLines(service.log())) {
            if (line.contains("countersign.audit")) {
                records.add(JSON.readTree(line).path("mdc"));
            }
        }
        return records;
    }

    private static String event(JsonNode record) {
        return Stream.of("event", "outcome", "reason", "principal", "app")
                .filter(record::has)
                .map(name -> record.path(name).asText())
                .collect(Collectors.joining(" "));
    }
}
