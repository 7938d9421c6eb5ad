package dev.countersign.support;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * HAProxy in front of replicas. It sends requests to those that say they are ready, and tries none again: nothing hides
 * a replica's failure.
 */
public final class LoadBalancer implements AutoCloseable {

    private final Process haproxy;
    private final URI base;
    private final URI statistics;

    private LoadBalancer(Process haproxy, URI base, URI statistics) {
        this.haproxy = haproxy;
        this.base = base;
        this.statistics = statistics;
    }

    /** Returns when it sends requests to all of them; where HAProxy is not installed, the test is skipped. */
    public static LoadBalancer orSkip(List<ServiceProcess> replicas) throws IOException {
        Program program = Program.orSkip("haproxy", "-v");
        int port = ServiceProcess.freePort();
        int statisticsPort = ServiceProcess.freePort();
        Path configuration = Path.of("target", "haproxy-" + port + ".cfg");
        Files.writeString(configuration, """
                defaults
                    mode http
                    log stdout format raw local0
                    option httplog
                    retries 0
                    timeout connect 2s
                    timeout client 60s
                    timeout server 60s
                    # Else it is the interval, and a busy machine's replicas flap.
                    timeout check 2s
                frontend service
                    bind 127.0.0.1:%d
                    default_backend replicas
                frontend statistics
                    bind 127.0.0.1:%d
                    stats enable
                    stats uri /
                backend replicas
                    balance roundrobin
                    option httpchk GET /q/health/ready
                    default-server check inter 100ms fall 1 rise 1
                %s
                """.formatted(
                        port,
                        statisticsPort,
                        IntStream.range(0, replicas.size())
                                .mapToObj(i -> "    server replica%d 127.0.0.1:%d check port %d"
                                        .formatted(
                                                i,
                                                replicas.get(i).baseUri().getPort(),
                                                replicas.get(i).managementUri().getPort()))
                                .collect(Collectors.joining("\n"))));
        Process haproxy = new ProcessBuilder(program.executable().toString(), "-db", "-f", configuration.toString())
                .redirectErrorStream(true)
                .redirectOutput(Path.of("target", "haproxy-" + port + ".log").toFile())
                .start();
        Runtime.getRuntime().addShutdownHook(new Thread(haproxy::destroyForcibly));
        LoadBalancer balancer = new LoadBalancer(
                haproxy,
                URI.create("http://localhost:" + port),
                URI.create("http://localhost:" + statisticsPort + "/;csv"));
        IntStream.range(0, replicas.size()).forEach(balancer::awaitUp);
        return balancer;
    }

    public URI baseUri() {
        return base;
    }

    /** Until it sends requests to this replica, counted from 0. */
    public void awaitUp(int replica) {
        await().atMost(Duration.ofSeconds(20))
                .pollInterval(Duration.ofMillis(50))
                .ignoreExceptions()
                .until(() -> isUp(replica));
    }

    private boolean isUp(int replica) {
        return statistics()
                .lines()
                .filter(line -> line.startsWith("replicas,replica" + replica + ","))
                .anyMatch(line -> line.contains(",UP,"));
    }

    private String statistics() {
        try (InputStream csv = statistics.toURL().openStream()) {
            return new String(csv.readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        haproxy.destroyForcibly();
    }
}
