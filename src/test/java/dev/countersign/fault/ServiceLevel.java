package dev.countersign.fault;

import static org.awaitility.Awaitility.await;

import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Reply;
import dev.countersign.support.ServiceProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * What a replica holds.
 *
 * @param threads of the platform
 * @param virtualThreads that do something or wait; of a native image, which doesn't tell, 0
 * @param sockets beyond the pool's; where the system doesn't show them, 0
 * @param connections to the database that are in use
 * @param waiting for one of them
 * @param heap in MiB, after a collection of garbage; of a native image, which makes none when asked, 0
 */
record ServiceLevel(int threads, long virtualThreads, long sockets, int connections, int waiting, int heap) {

    static final Duration WAIT = Duration.ofSeconds(10);

    /** After as many calls at once as are to come: what a replica makes once and keeps is made then. */
    static ServiceLevel onceUsed(ServiceProcess service, int clients, List<Function<ServiceClient, Reply>> calls) {
        try (Load load = Load.start(service.baseUri(), clients, calls)) {
            await().atMost(Duration.ofSeconds(30)).until(() -> load.calls().size() > 1000 + clients);
            load.stop();
        }
        return of(service);
    }

    /** The first that is no higher than before, or the last. */
    static ServiceLevel awaitBackAt(ServiceLevel before, ServiceProcess service) {
        long end = System.nanoTime() + WAIT.toNanos();
        ServiceLevel level = of(service);
        while (!level.isBackAt(before) && System.nanoTime() < end) {
            level = of(service);
        }
        return level;
    }

    static ServiceLevel of(ServiceProcess service) {
        boolean jvm = ServiceProcess.isJvm();
        if (jvm) {
            service.jcmd("GC.run");
        }
        String metrics = service.metrics();
        int connections = (int) sum(metrics, "agroal_active_count{");
        return new ServiceLevel(
                (int) sum(metrics, "jvm_threads_live_threads"),
                jvm ? virtualThreads(service) : 0,
                Math.max(0, sockets(service) - connections - (long) sum(metrics, "agroal_available_count{")),
                connections,
                (int) sum(metrics, "agroal_awaiting_count{"),
                jvm ? (int) (sum(metrics, "jvm_memory_used_bytes{area=\"heap\"") / (1 << 20)) : 0);
    }

    /** Whether nothing of a fault is left. Two threads, sockets and MiB come and go without one. */
    boolean isBackAt(ServiceLevel before) {
        return threads <= before.threads + 2
                && virtualThreads <= before.virtualThreads
                && sockets <= before.sockets + 2
                && connections <= before.connections
                && waiting <= before.waiting
                && heap <= before.heap + 2;
    }

    private static double sum(String metrics, String prefix) {
        return metrics.lines()
                .filter(line -> line.startsWith(prefix))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
                .sum();
    }

    private static long virtualThreads(ServiceProcess service) {
        Path dump = Path.of("target", "threads-" + service.pid() + ".txt").toAbsolutePath();
        service.jcmd("Thread.dump_to_file", "-overwrite", dump.toString());
        try (Stream<String> lines = Files.lines(dump)) {
            return lines.filter(line -> line.startsWith("#") && line.contains("\" virtual"))
                    .count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long sockets(ServiceProcess service) {
        try (Stream<Path> files = Files.list(Path.of("/proc", Long.toString(service.pid()), "fd"))) {
            return files.filter(ServiceLevel::isSocket).count();
        } catch (IOException e) {
            // No Linux.
            return 0;
        }
    }

    private static boolean isSocket(Path file) {
        try {
            return Files.readSymbolicLink(file).toString().startsWith("socket:");
        } catch (IOException e) {
            // Closed meanwhile.
            return false;
        }
    }

    @Override
    public String toString() {
        return "threads %d, virtual threads %d, sockets %d, connections %d, waiting %d, heap %d MiB"
                .formatted(threads, virtualThreads, sockets, connections, waiting, heap);
    }
}
