package dev.countersign;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** A restore brings redeemed tokens back to life, and what docs/operations.md has an operator do voids them. */
class RestoreIT {

    private static final Pattern VOID_ALL = Pattern.compile("As the owner: `([^`]+)`");

    private static final String RESTORE = """
            DELETE FROM challenge_session;
            INSERT INTO challenge_session TABLE backup
            """;

    @Test
    void tokensThatARestoreBroughtBackAreVoidedAsDocumented() throws IOException {
        try (PostgresServer database = PostgresServer.start();
                ServiceProcess before = ServiceProcess.start(database)) {
            database.execute("INSERT INTO app (app_id) VALUES ('demo')");
            Token token;
            try (ServiceClient client = new ServiceClient(before.baseUri())) {
                token = Token.of(client.create("demo"));
                database.execute("CREATE TABLE backup AS TABLE challenge_session");
                assertThat(redeem(client, token)).isEqualTo(200);
                assertThat(redeem(client, token)).isEqualTo(404);
                database.execute(RESTORE);
                assertThat(redeem(client, token)).as("what the page warns of").isEqualTo(200);
                database.execute(RESTORE);
            }
            before.stop();
            database.execute(documented());
            try (ServiceProcess after = before.startAgain(Map.of());
                    ServiceClient client = new ServiceClient(after.baseUri())) {
                assertThat(redeem(client, token)).isEqualTo(404);
                assertThat(redeem(client, Token.of(client.create("demo")))).isEqualTo(200);
            }
        }
    }

    private static int redeem(ServiceClient client, Token token) {
        return client.redeem(token.app(), token.session(), token.code()).status();
    }

    private static String documented() throws IOException {
        Matcher statement = VOID_ALL.matcher(Files.readString(Path.of("docs", "operations.md")));
        assertThat(statement.find()).isTrue();
        return statement.group(1);
    }
}
