package dev.countersign.fault;

import dev.countersign.support.ServiceProcess;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/** Asks a replica five times a second whether it lives, as Kubernetes does less often. */
final class Liveness implements AutoCloseable {

    private static final String PATH = "/q/health/live";

    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
    private final Collection<Integer> statuses = new ConcurrentLinkedQueue<>();
    private final Future<?> probing;
    private volatile long longestMillis;

    private Liveness(Supplier<ServiceProcess> service) {
        probing = clock.scheduleAtFixedRate(() -> probe(service.get()), 0, 200, TimeUnit.MILLISECONDS);
    }

    static Liveness watch(ServiceProcess service) {
        return watch(() -> service);
    }

    /** Of several replicas that one which should live at the time. */
    static Liveness watch(Supplier<ServiceProcess> service) {
        return new Liveness(service);
    }

    private void probe(ServiceProcess service) {
        long begin = System.nanoTime();
        statuses.add(service.probe(PATH));
        longestMillis = Math.max(
                longestMillis, Duration.ofNanos(System.nanoTime() - begin).toMillis());
    }

    int probes() {
        return statuses.size();
    }

    int failures() {
        return (int) statuses.stream().filter(status -> status != 200).count();
    }

    /** What the machine takes for a reply that needs no database. */
    long longestMillis() {
        return longestMillis;
    }

    @Override
    public void close() {
        probing.cancel(false);
        clock.close();
    }
}
