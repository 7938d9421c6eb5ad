package dev.countersign.fault;

import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Reply;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/** Clients that call a service until they are stopped, each on a connection of its own. */
final class Load implements AutoCloseable {

    private final ExecutorService clients = Executors.newVirtualThreadPerTaskExecutor();
    private final List<Future<?>> running = new ArrayList<>();
    private final Collection<Call> calls = new ConcurrentLinkedQueue<>();
    private volatile boolean stopping;

    private Load() {}

    /** Each client calls again as soon as it has its reply. The calls are dealt out to the clients in turn. */
    static Load start(URI service, int clients, List<Function<ServiceClient, Reply>> calls) {
        Load load = new Load();
        for (int client = 0; client < clients; client++) {
            load.add(service, calls.get(client % calls.size()), System.nanoTime(), 0);
        }
        return load;
    }

    /** As above, all with the same calls. */
    static Load start(URI service, int clients, Function<ServiceClient, Reply> call) {
        return start(service, clients, List.of(call));
    }

    /** A constant load, as long as the service keeps up with it. */
    static Load startAtRate(URI service, int clients, double callsPerSecond, Function<ServiceClient, Reply> call) {
        Load load = new Load();
        long begin = System.nanoTime();
        double interval = Duration.ofSeconds(1).toNanos() / callsPerSecond;
        for (int client = 0; client < clients; client++) {
            load.add(service, call, begin + (long) (client * interval), (long) (clients * interval));
        }
        return load;
    }

    private void add(URI service, Function<ServiceClient, Reply> call, long begin, long interval) {
        running.add(clients.submit(() -> {
            try (ServiceClient client = new ServiceClient(service)) {
                for (long next = begin; !stopping; next += interval) {
                    LockSupport.parkNanos(next - System.nanoTime());
                    long start = System.nanoTime();
                    int status = call.apply(client).status();
                    calls.add(new Call(status, start, System.nanoTime()));
                }
            }
        }));
    }

    /** The calls that have ended so far. */
    Collection<Call> calls() {
        return calls;
    }

    /** Ends it, after the calls that are in flight; fails if a client did. */
    Collection<Call> stop() {
        stopping = true;
        try {
            for (Future<?> client : running) {
                client.get();
            }
        } catch (ExecutionException e) {
            throw new AssertionError(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
        return calls;
    }

    @Override
    public void close() {
        stopping = true;
        clients.close();
    }

    /**
     * A call and what came of it.
     *
     * @param status 0 when no reply came
     * @param begin by {@link System#nanoTime}, as {@code end}
     */
    record Call(int status, long begin, long end) {

        long millis() {
            return Duration.ofNanos(end - begin).toMillis();
        }
    }
}
