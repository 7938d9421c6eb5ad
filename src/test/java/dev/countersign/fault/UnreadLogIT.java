package dev.countersign.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.Program;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Reply;
import dev.countersign.support.ServiceProcess;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A log that nobody reads fails requests in time and holds none; when it is read again, the audit misses nothing. */
class UnreadLogIT {

    private static final Logger LOG = Logger.getLogger(UnreadLogIT.class);
    private static final Pattern ISSUED = Pattern.compile("event=issue outcome=done .*session=([0-9a-f-]{36})");
    private static final Duration PROMPT = Duration.ofSeconds(1);

    @TempDir
    private Path directory;

    @Test
    void requestsAreRefusedInTimeAndTheAuditMissesNothing() throws Exception {
        Path pipe = directory.resolve("log");
        new Program(Path.of("/usr/bin/mkfifo")).run(Map.of(), pipe.toString()).output();
        Queue<String> lines = new ConcurrentLinkedQueue<>();
        try (RandomAccessFile end = new RandomAccessFile(pipe.toFile(), "rw");
                PostgresServer database = PostgresServer.start();
                ServiceProcess service = ServiceProcess.startBy(
                        List.of("/bin/sh", "-c", "exec \"$@\" > '" + pipe + "'", "sh"),
                        database,
                        ServiceProcess.DEFAULT_TIMEOUTS);
                ServiceClient client = new ServiceClient(service.baseUri());
                Liveness liveness = Liveness.watch(service)) {
            assertThat(end.getFD().valid()).isTrue();
            database.execute("INSERT INTO app (app_id) VALUES ('demo')");
            Set<String> acknowledged = new TreeSet<>();
            Duration longest = Duration.ZERO;
            Reply reply = client.create("demo");
            while (reply.isSuccess()) {
                acknowledged.add(reply.member("sessionId"));
                long begin = System.nanoTime();
                reply = client.create("demo");
                Duration took = Duration.ofNanos(System.nanoTime() - begin);
                longest = took.compareTo(longest) > 0 ? took : longest;
            }
            assertThat(reply.status()).isEqualTo(504);
            assertThat(longest).isLessThan(PROMPT);
            LOG.infof("%d creates before the log was full, the slowest after %s", acknowledged.size(), longest);

            read(pipe, lines);
            await().atMost(Duration.ofSeconds(30)).until(() -> {
                Reply again = client.create("demo");
                return again.isSuccess() && acknowledged.add(again.member("sessionId"));
            });
            await().atMost(Duration.ofSeconds(30))
                    .untilAsserted(() -> assertThat(sessions(lines)).containsAll(acknowledged));
            await().atMost(Duration.ofSeconds(30))
                    .until(() -> lines.stream().anyMatch(line -> line.contains("records were dropped")));
            assertThat(liveness.failures()).isZero();
            assertThat(liveness.longestMillis()).isLessThan(PROMPT.toMillis());
        }
    }

    private static void read(Path pipe, Queue<String> lines) {
        Thread.ofVirtual().start(() -> {
            try (BufferedReader log = Files.newBufferedReader(pipe)) {
                log.lines().forEach(lines::add);
            } catch (IOException e) {
                lines.add(e.toString());
            }
        });
    }

    private static Set<String> sessions(Queue<String> lines) {
        Set<String> sessions = new TreeSet<>();
        for (String line : lines) {
            Matcher issued = ISSUED.matcher(line);
            if (issued.find()) {
                sessions.add(issued.group(1));
            }
        }
        return sessions;
    }
}
