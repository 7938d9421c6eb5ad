package dev.countersign.logging;

import io.quarkus.bootstrap.logging.InitialConfigurator;
import io.quarkus.bootstrap.logging.QuarkusDelayedHandler;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.Startup;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.logging.ErrorManager;
import java.util.logging.Handler;
import org.jboss.logging.Logger;
import org.jboss.logmanager.ExtHandler;
import org.jboss.logmanager.ExtLogRecord;

/**
 * Queues log records and passes them to the configured handlers on a thread of its own. So a reader of the log that is
 * slow or stuck never blocks an event loop.
 *
 * <p>While too many records wait, {@link #isFull} is true, and nothing is begun that needs an audit record. Audit
 * records are still queued, because what they report has happened. Other records are dropped and counted. Safe for use
 * by many threads.
 */
@Startup
@Singleton
public class LogQueue extends ExtHandler {

    /** The category whose records are never dropped. */
    public static final String AUDIT = "countersign.audit";

    /** How many records may wait: some megabytes, or the records of a second at the full rate of creates. */
    private static final int MOST = 10_000;

    private static final Duration STOP = Duration.ofSeconds(1);
    private static final Duration PAUSE = Duration.ofMillis(1);

    /** How much later a record may be written, so that others are written with it. */
    private static final Duration GATHER = Duration.ofMillis(5);

    private static final Logger LOG = Logger.getLogger(LogQueue.class);

    private final BlockingQueue<ExtLogRecord> waiting = new LinkedBlockingQueue<>();

    /** How many records wait or are being written. */
    private final AtomicInteger unwritten = new AtomicInteger();

    private final AtomicLong dropped = new AtomicLong();
    private final QuarkusDelayedHandler root = InitialConfigurator.DELAYED_HANDLER;
    private final Handler[] written;

    /** A shutdown hook. A start that fails logs why and then ends without a {@link ShutdownEvent}. */
    private final Thread end = Thread.ofPlatform().unstarted(this::awaitWritten);

    LogQueue() {
        written = root.getHandlers();
        Thread.ofPlatform().daemon().name("log").start(this::write);
        root.setHandlers(new Handler[] {this});
        Runtime.getRuntime().addShutdownHook(end);
    }

    /** Whether too many records wait to be written. */
    public boolean isFull() {
        return unwritten.get() >= MOST;
    }

    @Override
    protected void doPublish(ExtLogRecord record) {
        if (isFull() && !AUDIT.equals(record.getLoggerName())) {
            dropped.incrementAndGet();
        } else {
            // Only this thread can read the context (MDC) of the record.
            record.copyMdc();
            unwritten.incrementAndGet();
            waiting.add(record);
        }
    }

    private void write() {
        try {
            while (true) {
                write(waiting.take());
                unwritten.decrementAndGet();
                if (!isFull() && dropped.get() > 0) {
                    LOG.warnf("The log was read too slowly: %d records were dropped", dropped.getAndSet(0));
                }
                if (waiting.isEmpty()) {
                    // To wake this thread costs a request more than to queue its record.
                    Thread.sleep(GATHER);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Writes a record. Not even an Error may end the thread: with a full queue, each request would get 504. */
    private void write(ExtLogRecord record) {
        for (Handler handler : written) {
            try {
                handler.publish(record);
            } catch (Throwable e) {
                reportError("A log record was not written", new IllegalStateException(e), ErrorManager.WRITE_FAILURE);
            }
        }
    }

    /** Waits until the queue is written. Later records are written directly, unless nobody reads the log. */
    void stop(@Observes ShutdownEvent event) {
        awaitWritten();
        if (unwritten.get() == 0) {
            root.setHandlers(written);
        }
        try {
            Runtime.getRuntime().removeShutdownHook(end);
        } catch (IllegalStateException e) {
            // The process is already ending, and the hook finds nothing left to write.
        }
    }

    private void awaitWritten() {
        long deadline = System.nanoTime() + STOP.toNanos();
        while (unwritten.get() > 0 && System.nanoTime() < deadline) {
            LockSupport.parkNanos(PAUSE.toNanos());
        }
    }
}
