package dev.countersign.client;

import static dev.countersign.support.Contract.call;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.support.AwsCredentials;
import dev.countersign.support.Callers;
import dev.countersign.support.NodePackages;
import dev.countersign.support.Program;
import dev.countersign.support.Program.Run;
import dev.countersign.support.ServiceTest;
import dev.countersign.support.TcpProxy;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.RestAssured;
import io.restassured.path.json.JsonPath;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What {@code docs/clients.md} shows redeems a code once; each is skipped where its language isn't installed. */
@QuarkusTest
class SnippetsTest extends ServiceTest {

    private static final Path SNIPPETS = Path.of("examples", "clients");

    /** Debian's packages of Go libraries lie in a workspace of the old form. */
    private static final Path GO_LIBRARIES = Path.of("/usr", "share", "gocode");

    private String endpoint;
    private JsonPath token;

    @BeforeEach
    void createToken() {
        endpoint = AwsCredentials.endpoint();
        token = call().post("/prod/backend/demo/challenge").jsonPath();
    }

    @Test
    void pythonRedeemsOnce() throws Exception {
        Program python = Program.orSkip("python3", "-c", "import botocore");
        assertRedeemsOnce(() -> run(python, "redeem.py"));
    }

    @Test
    void javaScriptRedeemsOnce() throws Exception {
        NodePackages packages = NodePackages.orSkip();
        assertRedeemsOnce(() -> packages.run(credentials(), SNIPPETS.resolve("redeem.mjs"), arguments()));
    }

    @Test
    void javaRedeemsOnce() throws Exception {
        Program java = new Program(Path.of(System.getProperty("java.home"), "bin", "java"));
        assertRedeemsOnce(() -> run(java, "Redeem.java", "-cp", System.getProperty("java.class.path")));
    }

    @Test
    void goRedeemsOnce() throws Exception {
        Program go = Program.orSkip("go", "version");
        assumeTrue(Files.exists(GO_LIBRARIES.resolve("src/github.com/aws/aws-sdk-go-v2")), "no aws-sdk-go-v2");
        assertRedeemsOnce(() -> run(go, "redeem.go", "run"));
    }

    @Test
    void curlRedeemsOnce() throws IOException {
        Program shell = Program.orSkip("sh", "-c", "curl --help all | grep -q aws-sigv4");
        assertRedeemed(run(shell, "redeem.sh"));
        Run again = run(shell, "redeem.sh");
        assertThat(again.exit()).isNotZero();
        assertThat(again.err()).contains("404");
    }

    @Test
    void curlRedeemsWithABearerToken() throws IOException {
        Map<String, String> environment = new HashMap<>();
        environment.put("COUNTERSIGN_TOKEN", Callers.token());
        assertRedeemed(new Program(SNIPPETS.resolve("redeem.sh").toAbsolutePath()).run(environment, arguments()));
    }

    private Run run(Program program, String snippet, String... options) {
        return program.run(
                credentials(),
                Stream.of(
                                Stream.of(options),
                                Stream.of(SNIPPETS.resolve(snippet).toString()),
                                Stream.of(arguments()))
                        .flatMap(each -> each)
                        .toArray(String[]::new));
    }

    private String[] arguments() {
        return new String[] {endpoint, "demo", token.getString("sessionId"), token.getString("challengeCode")};
    }

    private void assertRedeemsOnce(Callable<Run> redeem) throws Exception {
        assertRedeemed(redeem.call());
        assertThat(redeem.call().output()).isEqualTo("refused\n");
        createToken();
        assertRedeemed(withTheFirstReplyLost(redeem));
    }

    /** The code is redeemed, and the connection is reset before the reply. */
    private Run withTheFirstReplyLost(Callable<Run> redeem) throws Exception {
        try (TcpProxy network = TcpProxy.to(RestAssured.port);
                ExecutorService background = Executors.newVirtualThreadPerTaskExecutor()) {
            endpoint = "http://localhost:" + network.port() + "/prod";
            network.dropReplies();
            Future<Run> run = background.submit(redeem);
            await().pollInterval(Duration.ofMillis(20))
                    .atMost(Duration.ofSeconds(30))
                    .until(() -> state().equals("REDEEMED"));
            network.heal();
            return run.get();
        }
    }

    private String state() {
        return call().get("/prod/backend/demo/challenge/" + token.getString("sessionId") + "/status")
                .jsonPath()
                .getString("state");
    }

    private void assertRedeemed(Run run) throws IOException {
        JsonNode reply = new ObjectMapper().readTree(run.output());
        assertThat(reply.path("sessionId").asText()).isEqualTo(token.getString("sessionId"));
        assertThat(reply.path("issuedTo").asText()).isEqualTo(Callers.TESTER);
    }

    private static Map<String, String> credentials() {
        Map<String, String> environment = new HashMap<>(AwsCredentials.environment());
        environment.put("GO111MODULE", "off");
        environment.put("GOPATH", GO_LIBRARIES.toString());
        environment.put("GOCACHE", Path.of("target", "go").toAbsolutePath().toString());
        return environment;
    }
}
