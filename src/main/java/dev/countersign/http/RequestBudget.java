package dev.countersign.http;

import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/**
 * Bounds the time of an operation. When it is over, the operation's thread is interrupted; on a virtual thread that ends
 * a wait on a socket too, so that nobody waits for a database that is frozen or gone.
 */
@Singleton
public class RequestBudget {

    private final Duration timeout;
    private final ScheduledThreadPoolExecutor clock;

    public RequestBudget(
            @ConfigProperty(name = "countersign.request-timeout", defaultValue = "PT2S") Duration timeout) {
        this.timeout = timeout;
        this.clock = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().name("request-budget").daemon().factory());
        // Nearly every request ends in time; its alarm is not to linger.
        clock.setRemoveOnCancelPolicy(true);
    }

    /** Does the work, which throws once it is interrupted because its time is over. */
    public <T> T spend(Supplier<T> work) {
        Alarm alarm = new Alarm(Thread.currentThread());
        Future<?> scheduled = clock.schedule(alarm, timeout.toMillis(), TimeUnit.MILLISECONDS);
        try {
            return work.get();
        } finally {
            scheduled.cancel(false);
            alarm.off();
        }
    }

    /** Rings while the work goes on, and never after it: what the thread does next is not to be interrupted. */
    private static final class Alarm implements Runnable {

        private final Thread worker;
        private boolean off;

        Alarm(Thread worker) {
            this.worker = worker;
        }

        @Override
        public synchronized void run() {
            if (!off) {
                worker.interrupt();
            }
        }

        synchronized void off() {
            off = true;
            // Too late for the work to notice.
            Thread.interrupted();
        }
    }
}
