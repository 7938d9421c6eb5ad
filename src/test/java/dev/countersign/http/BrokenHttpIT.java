package dev.countersign.http;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.countersign.support.KeptConnection;
import dev.countersign.support.PostgresServer;
import dev.countersign.support.RawHttp.Reply;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceProcess;
import dev.countersign.support.SignedRequest;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

/**
 * What is no proper HTTP gets a refusal or the end of its connection, and a caller on another connection is served all
 * the while.
 */
class BrokenHttpIT {

    private static final Logger LOG = Logger.getLogger(BrokenHttpIT.class);

    private static final String CLOSED = "closed";
    private static final Duration BODY_TIMEOUT = Duration.ofSeconds(2);
    private static final Duration IDLE_TIMEOUT = Duration.ofSeconds(4);

    /** Of a reply that nobody waits for but the caller; on a busy machine. */
    private static final long LONGEST_MILLIS = 2_000;

    /** Needs no credentials. */
    private static final String LINE = "OPTIONS /prod/apps HTTP/1.1\r\n";

    private static final String CREATE = "/prod/backend/demo/challenge";
    private static final String HEAD = LINE + "Host: localhost\r\n";
    private static final String REQUEST = HEAD + "\r\n";

    private static PostgresServer database;
    private static ServiceProcess service;

    private final ExecutorService background = Executors.newSingleThreadExecutor();
    private final List<Long> millis = new ArrayList<>();
    private volatile boolean done;
    private Future<?> caller;

    @BeforeAll
    static void start() {
        database = PostgresServer.start();
        service = ServiceProcess.start(
                database,
                Map.of(
                        "countersign.request-timeout", BODY_TIMEOUT.toString(),
                        "quarkus.http.idle-timeout", IDLE_TIMEOUT.toString()));
        database.execute("INSERT INTO app (app_id) VALUES ('demo')");
    }

    @AfterAll
    static void stop() {
        service.close();
        database.close();
    }

    @BeforeEach
    void startCaller() {
        caller = background.submit(() -> {
            try (ServiceClient client = new ServiceClient(service.baseUri())) {
                do {
                    long begin = System.nanoTime();
                    ServiceClient.Reply reply = client.create("demo");
                    assertThat(reply.isSuccess()).as(reply.toString()).isTrue();
                    millis.add((System.nanoTime() - begin) / 1_000_000);
                } while (!done);
            }
        });
    }

    @AfterEach
    void endCaller(TestInfo test) throws Exception {
        done = true;
        try (background) {
            caller.get();
        }
        // The first of a process loads what it needs.
        long longest = millis.stream().skip(1).mapToLong(Long::longValue).max().orElse(0);
        LOG.infof(
                "%s: meanwhile another caller got %d replies, none of them a failure, the longest after %d ms",
                test.getTestMethod().orElseThrow().getName(), millis.size(), longest);
        assertThat(longest).isLessThan(LONGEST_MILLIS);
    }

    @Test
    void brokenRequestIsRefused() throws IOException {
        Map<String, String> outcomes = new LinkedHashMap<>();
        Map<String, String> expected = new LinkedHashMap<>();
        for (Broken row : rows()) {
            expected.put(row.name, row.outcome);
            outcomes.put(row.name, outcome(row.bytes));
        }
        LOG.infof("broken requests: %s", outcomes);
        assertThat(outcomes).isEqualTo(expected);
    }

    private record Broken(String name, String bytes, String outcome) {}

    private static List<Broken> rows() {
        String chunked = HEAD + "Transfer-Encoding: chunked\r\n\r\n";
        return List.of(
                // The request line
                new Broken("word", "GARBAGE\r\n\r\n", "400"),
                new Broken("method alone", "GET\r\n\r\n", "400"),
                new Broken("no version", "GET /prod/apps\r\nHost: localhost\r\n\r\n", "400"),
                new Broken("odd version", "GET /prod/apps HTTP/9.9\r\nHost: localhost\r\n\r\n", "400"),
                new Broken("no HTTP version", "GET /prod/apps FTP/1.1\r\nHost: localhost\r\n\r\n", "400"),
                new Broken("control character", "GET /prod/\u0001apps HTTP/1.1\r\nHost: localhost\r\n\r\n", "404"),
                new Broken("TLS", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003\r\n\r\n", "400"),
                new Broken("too long line", "GET /" + "a".repeat(70_000) + " HTTP/1.1\r\n\r\n", "414"),
                new Broken("empty lines before", "\r\n\r\n\r\n" + REQUEST, "200"),
                // Headers
                new Broken("header without a colon", HEAD + "abc\r\n\r\n", "400"),
                new Broken("header without a name", HEAD + ": abc\r\n\r\n", "200"),
                new Broken("space in a name", HEAD + "X Y: abc\r\n\r\n", "400"),
                new Broken("space after a name", HEAD + "X-Y : abc\r\n\r\n", "400"),
                new Broken("NUL in a value", HEAD + "X-Y: a\u0000b\r\n\r\n", "400"),
                new Broken("folded header", HEAD + "X-Y: a\r\n b\r\n\r\n", "200"),
                new Broken("large header", HEAD + "X-Y: " + "a".repeat(100_000) + "\r\n\r\n", "431"),
                new Broken("many headers", HEAD + "X-Y: a\r\n".repeat(20_000) + "\r\n", "431"),
                // The body's frame
                new Broken("length that is no number", HEAD + "Content-Length: x\r\n\r\n", "400"),
                new Broken("negative length", HEAD + "Content-Length: -1\r\n\r\n", "400"),
                new Broken("huge length", HEAD + "Content-Length: 99999999999999999999\r\n\r\n", "400"),
                new Broken("two lengths", HEAD + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400"),
                new Broken("large length", HEAD + "Content-Length: 9223372036854775807\r\n\r\n", "413"),
                new Broken("chunk size that is no number", chunked + "zz\r\nabc\r\n0\r\n\r\n", CLOSED),
                new Broken("negative chunk size", chunked + "-1\r\nabc\r\n0\r\n\r\n", CLOSED),
                new Broken("huge chunk size", chunked + "ffffffffffffffff\r\nabc\r\n0\r\n\r\n", CLOSED),
                new Broken("chunk longer than said", chunked + "1\r\nabcdef\r\n0\r\n\r\n", CLOSED),
                new Broken("large chunk", chunked + "5000\r\n" + "a".repeat(0x5000) + "\r\n0\r\n\r\n", "413"));
    }

    /** A status, or the end of the connection. */
    private static String outcome(String bytes) throws IOException {
        try (KeptConnection connection = connect()) {
            connection.write(bytes.getBytes(ISO_8859_1));
            return read(connection);
        }
    }

    private static String read(KeptConnection connection) throws IOException {
        return connection
                .readUnlessEnded()
                .map(reply -> Integer.toString(reply.status()))
                .orElse(CLOSED);
    }

    @Test
    void endlessHeadersEndTheConnection() throws IOException {
        try (KeptConnection connection = connect()) {
            connection.write(HEAD.getBytes(ISO_8859_1));
            for (int i = 0; i < 10_000; i++) {
                connection.write(("X-" + i + ": " + "a".repeat(1000) + "\r\n").getBytes(ISO_8859_1));
            }
            assertThat(read(connection)).isIn("431", CLOSED);
        }
    }

    @Test
    void garbageAfterThePrefaceOfHttp2EndsTheConnection() throws IOException {
        try (KeptConnection connection = connect()) {
            connection.write(("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\u00ff".repeat(100)).getBytes(ISO_8859_1));
            connection.awaitEnd();
        }
    }

    @Test
    void pipelinedRequestsAreAnsweredInTheirOrder() throws IOException {
        try (KeptConnection connection = connect()) {
            String bad = "GET /prod/nope HTTP/1.1\r\nHost: localhost\r\n\r\n";
            String withBody = HEAD + "Content-Length: 5000\r\n\r\n" + "a".repeat(5000);
            String tooLarge = HEAD + "Content-Length: 20000\r\n\r\n" + "a".repeat(20_000);
            connection.write(((REQUEST + bad + withBody + tooLarge).repeat(50) + "GARBAGE\r\n\r\n" + REQUEST)
                    .getBytes(ISO_8859_1));
            for (int i = 0; i < 50; i++) {
                assertThat(read(connection)).isEqualTo("200");
                assertThat(read(connection)).isEqualTo("404");
                assertThat(read(connection)).isEqualTo("200");
                assertThat(read(connection)).isEqualTo("413");
            }
            assertThat(read(connection)).isEqualTo("400");
            // What comes after garbage is garbage.
            assertThat(read(connection)).isEqualTo(CLOSED);
        }
    }

    @Test
    void refusalLeavesNothingUnread() throws IOException {
        try (KeptConnection connection = connect()) {
            String large = "Content-Length: 300000\r\n\r\n" + "a".repeat(300_000);
            for (String refused : List.of(
                    HEAD + large,
                    HEAD + "Origin: https://evil.example\r\n" + large,
                    HEAD + "Host: other\r\n" + large,
                    "FOO /prod/apps HTTP/1.1\r\nHost: localhost\r\n" + large)) {
                connection.write(refused.getBytes(ISO_8859_1));
                assertThat(read(connection)).startsWith("4");
                connection.write(REQUEST.getBytes(ISO_8859_1));
                assertThat(read(connection)).as(refused.substring(0, 80)).isEqualTo("200");
            }
        }
    }

    @Test
    void bodyInChunksWithTrailersAfterAContinueIsRead() throws IOException {
        Token token;
        try (ServiceClient client = new ServiceClient(service.baseUri())) {
            token = Token.of(client.create("demo"));
        }
        String authority = service.baseUri().getAuthority();
        String body = "{\"challengeCode\":\"" + token.code() + "\"}";
        SignedRequest signed = SignedRequest.to(
                authority, "POST", "/prod/backend/demo/challenge/" + token.session() + "/redeem", body);
        StringBuilder head = new StringBuilder("POST " + signed.path() + " HTTP/1.1\r\nHost: " + authority + "\r\n");
        signed.headers().forEach((name, value) -> head.append(name + ": " + value + "\r\n"));
        head.append("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
        try (KeptConnection connection = connect()) {
            connection.write(head.toString().getBytes(ISO_8859_1));
            assertThat(connection.readHead().getFirst()).isEqualTo("HTTP/1.1 100 Continue");
            for (int i = 0; i < body.length(); i++) {
                connection.write(("1;x=y\r\n" + body.charAt(i) + "\r\n").getBytes(ISO_8859_1));
            }
            connection.write("0\r\nX-Trailer: a\r\n\r\n".getBytes(ISO_8859_1));
            Reply reply = connection.read(false);
            assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
            connection.write(REQUEST.getBytes(ISO_8859_1));
            assertThat(read(connection)).isEqualTo("200");
        }
    }

    @Test
    void largeBodyIsNotAskedFor() throws IOException {
        try (KeptConnection connection = connect()) {
            connection.write((HEAD + "Content-Length: 20000\r\nExpect: 100-continue\r\n\r\n").getBytes(ISO_8859_1));
            assertThat(connection.readHead().getFirst()).startsWith("HTTP/1.1 413");
        }
    }

    @Test
    void halfClosedConnectionIsAnsweredOrEnded() throws IOException {
        try (KeptConnection whole = connect();
                KeptConnection part = connect();
                KeptConnection head = connect()) {
            whole.write(REQUEST.getBytes(ISO_8859_1));
            whole.finishWriting();
            assertThat(read(whole)).isIn("200", CLOSED);
            part.write((HEAD + "Content-Length: 10\r\n\r\nabc").getBytes(ISO_8859_1));
            part.finishWriting();
            assertThat(read(part)).isIn("400", CLOSED);
            head.write(HEAD.getBytes(ISO_8859_1));
            head.finishWriting();
            assertThat(read(head)).isEqualTo(CLOSED);
        }
    }

    @Test
    void bodyThatTricklesIsRefusedInTime() throws Exception {
        try (KeptConnection connection = connect()) {
            long begin = System.nanoTime();
            connection.write((HEAD + "Content-Length: 16000\r\n\r\n").getBytes(ISO_8859_1));
            // Never idle for as long as the idle timeout.
            Thread trickle = trickle(connection);
            Reply reply = connection.read(false);
            long millis = (System.nanoTime() - begin) / 1_000_000;
            trickle.interrupt();
            assertThat(reply.status()).isEqualTo(400);
            assertThat(reply.body()).isEqualTo("{\"message\":\"The body did not arrive in time\"}");
            assertThat(reply.header("Connection")).isEqualTo("close");
            connection.awaitEnd();
            assertThat(Duration.ofMillis(millis)).isBetween(BODY_TIMEOUT, BODY_TIMEOUT.plusMillis(LONGEST_MILLIS));
            LOG.infof("a body that trickles was refused after %d ms", millis);
        }
    }

    @Test
    void refusedBodyThatTricklesEndsTheConnectionInTime() throws Exception {
        try (KeptConnection connection = connect()) {
            long begin = System.nanoTime();
            connection.write((HEAD + "Content-Length: 1000000000\r\n\r\n").getBytes(ISO_8859_1));
            assertThat(read(connection)).isEqualTo("413");
            Thread trickle = trickle(connection);
            connection.awaitEnd();
            trickle.interrupt();
            assertThat(Duration.ofNanos(System.nanoTime() - begin))
                    .isBetween(BODY_TIMEOUT, BODY_TIMEOUT.plusMillis(LONGEST_MILLIS));
        }
    }

    @Test
    void clientThatAsksForHttp2IsServedInHttp1() throws Exception {
        try (HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build()) {
            HttpResponse<String> created = post(client, CREATE, "");
            Token token = Token.of(new ServiceClient.Reply(created.statusCode(), created.body(), ""));
            String body = "{\"challengeCode\":\"" + token.code() + "\"}";
            HttpResponse<String> redeemed = post(client, CREATE + "/" + token.session() + "/redeem", body);
            assertThat(redeemed.statusCode()).as(redeemed.body()).isEqualTo(200);
            assertThat(redeemed.version()).isEqualTo(HttpClient.Version.HTTP_1_1);
        }
    }

    private static HttpResponse<String> post(HttpClient client, String path, String body) throws Exception {
        URI uri = service.baseUri().resolve(path);
        HttpRequest.Builder request = HttpRequest.newBuilder(uri)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body));
        SignedRequest.to(uri.getAuthority(), "POST", path, body).headers().forEach(request::header);
        return client.send(request.build(), BodyHandlers.ofString());
    }

    /** A byte now and then, until it is interrupted. */
    private static Thread trickle(KeptConnection connection) {
        return Thread.ofVirtual().start(() -> {
            try {
                while (true) {
                    connection.write(new byte[] {' '});
                    Thread.sleep(100);
                }
            } catch (IOException | InterruptedException e) {
                // There is nobody to write to any more.
            }
        });
    }

    @Test
    void silentConnectionsAreEndedAndOthersServed() throws Exception {
        List<KeptConnection> silent = new ArrayList<>();
        try {
            long begin = System.nanoTime();
            for (int i = 0; i < 500; i++) {
                KeptConnection connection = connect();
                silent.add(connection);
                connection.write(HEAD.substring(0, i % HEAD.length()).getBytes(ISO_8859_1));
            }
            for (KeptConnection connection : silent) {
                connection.awaitEnd();
            }
            long millis = (System.nanoTime() - begin) / 1_000_000;
            LOG.infof("%d silent connections were ended after %d ms", silent.size(), millis);
            assertThat(millis).isCloseTo(IDLE_TIMEOUT.toMillis(), within(2 * LONGEST_MILLIS));
        } finally {
            silent.forEach(KeptConnection::close);
        }
    }

    private static KeptConnection connect() {
        return new KeptConnection(service.baseUri().getPort());
    }
}
