package dev.countersign.access;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Reply;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceProcess;
import dev.countersign.support.SignedRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Each event is one JSON record in production, with the fields that docs/operations.md lists, and tells the reason. */
class AuditIT {

    private static final ObjectMapper JSON = new ObjectMapper();

    private static final String PLAIN = "AKIAPLAIN00000000001";
    private static final String PLAIN_SECRET = "a-secret-of-thirty-two-characters-or-more";
    private static final String SUBJECT = "jane\" outcome=done\n";
    private static final String BODY =
            "{\"subject\":\"jane\\\" outcome=done\\n\",\"context\":{\"a\":\"context-canary\"}}";

    /** The request ids of the replies, in their order. */
    private final List<String> replied = new ArrayList<>();

    @Test
    void everyEventIsOneRecordThatTellsWhoDidWhatAndWhy() throws IOException {
        try (PostgresServer database = PostgresServer.start();
                ServiceProcess service = ServiceProcess.start(
                        database,
                        Map.of(
                                "countersign.principals.sdk.apps", "demo,unregistered,web",
                                "countersign.principals.sdk.permissions", "issue,delegate,read,remove,redeem,admin",
                                "countersign.principals.plain.access-key-id", PLAIN,
                                "countersign.principals.plain.secret-access-key", PLAIN_SECRET,
                                "countersign.principals.plain.apps", "demo",
                                "countersign.principals.plain.permissions", "issue",
                                // Not the default, so that a lock shows which of them counts.
                                "countersign.challenge.max-attempts", "2"));
                ServiceClient client = new ServiceClient(service.baseUri());
                ServiceClient nobody = new ServiceClient(service.baseUri(), (method, path, body) -> Map.of());
                ServiceClient plain = new ServiceClient(
                        service.baseUri(),
                        (method, path, body) -> SignedRequest.to(
                                        service.baseUri().getAuthority(),
                                        method,
                                        path,
                                        body,
                                        PLAIN,
                                        PLAIN_SECRET,
                                        Duration.ZERO)
                                .headers())) {
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
            Token named = Token.of(noted(client.create("demo", BODY)));
            noted(client.status("demo", named.session()));
            noted(client.read("demo", named.session()));
            noted(client.redeem("demo", named.session(), "wrong"));
            noted(client.redeem("demo", named.session(), named.code(), "key"));
            noted(client.redeem("demo", named.session(), named.code(), "key"));
            noted(client.status("demo", named.session()));
            noted(client.status("demo", removed.session()));
            noted(plain.create("demo", BODY));
            noted(client.create("foreign"));
            noted(nobody.create("demo"));

            // What still waits is then written.
            service.stop();
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
                            "issue done sdk demo " + SUBJECT,
                            "status done sdk demo " + SUBJECT,
                            "read done sdk demo " + SUBJECT,
                            "redeem refused wrong code sdk demo " + SUBJECT,
                            "redeem done sdk demo " + SUBJECT,
                            "redeem repeated sdk demo " + SUBJECT,
                            "status done sdk demo " + SUBJECT,
                            "status refused unknown sdk demo",
                            "issue refused other subject plain demo " + SUBJECT,
                            "access refused AccessDeniedException sdk foreign",
                            "access refused MissingAuthenticationTokenException demo");
            // A lock has a second record, of the same request.
            assertThat(records.stream()
                            .map(record -> record.path("requestId").asText())
                            .distinct())
                    .isEqualTo(replied)
                    .allMatch(id -> id.matches("[0-9a-f-]{36}"));
            // A caller that chooses a subject can't write a field of the line, nor is its context told.
            assertThat(lines(service))
                    .filteredOn(line -> line.contains("subject="))
                    .hasSize(8)
                    .allMatch(line -> line.endsWith(" subject=\"jane\\u{22} outcome=done\\u{a}\""));
            assertThat(Files.readString(service.log())).doesNotContain("context-canary");
        }
    }

    private static List<String> lines(ServiceProcess service) throws IOException {
        List<String> lines = new ArrayList<>();
        for (String line : Files.readAllLines(service.log())) {
            if (line.contains("countersign.audit")) {
                lines.add(JSON.readTree(line).path("message").asText());
            }
        }
        return lines;
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
        return Stream.of("event", "outcome", "reason", "principal", "app", "subject")
                .filter(record::has)
                .map(name -> record.path(name).asText())
                .collect(Collectors.joining(" "));
    }
}
