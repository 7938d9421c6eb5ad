package dev.countersign.client;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.support.AwsCredentials;
import dev.countersign.support.NodePackages;
import dev.countersign.support.Program;
import dev.countersign.support.Program.Run;
import dev.countersign.support.ServiceTest;
import io.quarkus.test.junit.QuarkusTest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Unmodified AWS clients of other languages work with the service; each is skipped where it isn't installed. */
@QuarkusTest
class CommandLineClientsTest extends ServiceTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path SCRIPTS = Path.of("src/test/clients");

    @Test
    void commandLineInterfaceCreatesReadsAndRemovesAToken() throws IOException {
        Program aws = Program.orSkip("aws", "--version");
        JsonNode created = JSON.readTree(aws(aws, "create-token").output());
        String session = created.path("SessionId").asText();

        assertSame(created, JSON.readTree(aws(aws, "get-token", session).output()));
        assertRemoved(JSON.readTree(aws(aws, "delete-token", session).output()));
        Run gone = aws(aws, "get-token", session);
        assertThat(gone.exit()).isNotZero();
        assertThat(gone.err()).contains("(NotFoundException)");
    }

    @Test
    void boto3CreatesReadsAndRemovesAToken() throws IOException {
        Program python = Program.orSkip("python3", "-c", "import boto3");
        assertLife(python.run(environment(), SCRIPTS.resolve("python.py").toString()));
    }

    @Test
    void javaScriptSdkCreatesReadsAndRemovesAToken() throws IOException {
        NodePackages packages = NodePackages.orSkip();
        assertLife(packages.run(environment(), SCRIPTS.resolve("javascript.mjs")));
    }

    /** By the service model that releases carry, which also has what AWS' own API lacks. */
    @Test
    void commandLineInterfaceRedeemsByTheServiceModel() throws IOException {
        Program aws = Program.orSkip("aws", "--version");
        addModel(aws);
        JsonNode created = JSON.readTree(countersign(aws, "create-token", "--context", "returnTo=/builds/17")
                .output());
        String[] session = {"--session-id", created.path("SessionId").asText()};
        String[] redeem = {
            session[0],
            session[1],
            "--challenge-code",
            created.path("ChallengeCode").asText()
        };

        JsonNode redeemed =
                JSON.readTree(countersign(aws, "redeem-token", redeem).output());
        assertThat(redeemed.path("IssuedTo").asText()).isEqualTo("sdk");
        assertThat(redeemed.at("/Context/returnTo").asText()).isEqualTo("/builds/17");
        Run again = countersign(aws, "redeem-token", redeem);
        assertThat(again.exit()).isNotZero();
        assertThat(again.err()).contains("(NotFoundException)", "No such token");
        JsonNode status =
                JSON.readTree(countersign(aws, "get-token-status", session).output());
        assertThat(status.path("State").asText()).isEqualTo("REDEEMED");
    }

    @Test
    void boto3CallsAllOperationsByTheServiceModel() throws IOException {
        addModel(Program.orSkip("aws", "--version"));
        Program python = Program.orSkip("python3", "-c", "import boto3");
        JsonNode result = JSON.readTree(
                python.run(environment(), SCRIPTS.resolve("countersign.py").toString())
                        .output());
        assertThat(result).isEqualTo(JSON.readTree("""
                        {"refused": "token", "context": {"returnTo": "/builds/17"}, "lived": 60.0,
                         "replayed": [null, "true"], "state": "REDEEMED", "removed": true,
                         "listed": ["Made by boto3"], "read": 60, "gone": "app"}
                        """));
    }

    private static void addModel(Program aws) {
        aws.run(environment(), "configure", "add-model", "--service-model", "file://" + ServiceModelTest.FILE)
                .output();
    }

    private static Run countersign(Program aws, String operation, String... arguments) {
        Stream<String> command =
                Stream.of("countersign", operation, "--endpoint-url", AwsCredentials.endpoint(), "--app-id", "demo");
        return aws.run(
                environment(), Stream.concat(command, Stream.of(arguments)).toArray(String[]::new));
    }

    private static void assertLife(Run script) throws IOException {
        JsonNode life = JSON.readTree(script.output());
        assertSame(life.path("created"), life.path("read"));
        assertRemoved(life.path("removed"));
        assertThat(life.path("gone").asText()).isEqualTo("NotFoundException");
    }

    private static void assertSame(JsonNode created, JsonNode read) {
        assertThat(created.fieldNames())
                .toIterable()
                .containsExactlyInAnyOrder("AppId", "SessionId", "Ttl", "ChallengeCode");
        assertThat(created.path("AppId").asText()).isEqualTo("demo");
        assertThat(created.path("ChallengeCode").asText()).hasSize(43);
        assertThat(read).isEqualTo(created);
    }

    private static void assertRemoved(JsonNode reply) {
        assertThat(reply).isEqualTo(JSON.createObjectNode().put("IsSuccess", true));
    }

    private static Run aws(Program aws, String operation, String... session) {
        Stream<String> command =
                Stream.of("amplifybackend", operation, "--endpoint-url", AwsCredentials.endpoint(), "--app-id", "demo");
        Stream<String> token = Stream.of(session).flatMap(id -> Stream.of("--session-id", id));
        return aws.run(environment(), Stream.concat(command, token).toArray(String[]::new));
    }

    private static Map<String, String> environment() {
        Map<String, String> environment = new HashMap<>(AwsCredentials.environment());
        environment.put("ENDPOINT", AwsCredentials.endpoint());
        // Where the AWS CLI keeps service models, and boto3 looks for them.
        environment.put(
                "HOME", Path.of("target").toAbsolutePath().resolve("aws-home").toString());
        return environment;
    }
}
