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
 * Stands before the handlers that configuration has made, and calls them on a thread of its own: whoever reads the log
 * slowly, or not at all, holds no event loop. While too much waits to be written, {@link #isFull} says so, so that nothing
 * is begun that the audit would have to tell of. Records of the audit are then kept all the same, as what they tell of has
 * happened, and others are dropped and counted. Safe for use by many threads.
 */
@Startup
@Singleton
public class LogQueue extends ExtHandler {

    /** The category whose records are never dropped. */
    public static final String AUDIT = "countersign.audit";

    /** Some megabytes, and at a full rate of creates the records of a second. */
    private static final int MOST = 10_000;

    private static final Duration STOP = Duration.ofSeconds(1);
    private static final Duration PAUSE = Duration.ofMillis(1);

    private static final Logger LOG = Logger.getLogger(LogQueue.class);

    private final BlockingQueue<ExtLogRecord> waiting = new LinkedBlockingQueue<>();

    /** How many wait or are being written. */
    private final AtomicInteger unwritten = new AtomicInteger();

    private final AtomicLong dropped = new AtomicLong();
    private final QuarkusDelayedHandler root = InitialConfigurator.DELAYED_HANDLER;
    private final Handler[] written;

    /** A start that fails says why, and ends without telling anybody that it stops. */
    private final Thread end = Thread.ofPlatform().unstarted(this::awaitWritten);

    LogQueue() {
        written = root.getHandlers();
        Thread.ofPlatform().daemon().name("log").start(this::write);
        root.setHandlers(new Handler[] {this});
        Runtime.getRuntime().addShutdownHook(end);
    }

    /** Whether more waits to be written than should. */
    public boolean isFull() {
        return unwritten.get() >= MOST;
    }

    @Override
    protected void doPublish(ExtLogRecord record) {
        if (isFull() && !AUDIT.equals(record.getLoggerName())) {
            dropped.incrementAndGet();
        } else {
            // What only this thread knows.
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
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** A record that can't be written must not end the thread that writes all others. */
    private void write(ExtLogRecord record) {
        for (Handler handler : written) {
            try {
                handler.publish(record);
            } catch (RuntimeException e) {
                reportError("A log record was not written", e, ErrorManager.WRITE_FAILURE);
            }
        }
    }

    /** What is logged later is written at once, unless nobody reads it. */
    void stop(@Observes ShutdownEvent event) {
        awaitWritten();
        if (unwritten.get() == 0) {
            root.setHandlers(written);
        }
        try {
            Runtime.getRuntime().removeShutdownHook(end);
        } catch (IllegalStateException e) {
            // The process is about to end, and the hook finds nothing left to write.
        }
    }

    private void awaitWritten() {
        long deadline = System.nanoTime() + STOP.toNanos();
        while (unwritten.get() > 0 && System.nanoTime() < deadline) {
            LockSupport.parkNanos(PAUSE.toNanos());
        }
    }
}
