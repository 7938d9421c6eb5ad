package dev.countersign.error;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

/** Permits one log record per period for each subject, so that a lasting fault does not fill the disk. Thread-safe. */
public final class LogThrottle {

    /** Beyond this many subjects, the oldest is forgotten and may be logged again too early. */
    private static final int MOST_SUBJECTS = 100;

    private final long periodNanos;

    /** When a subject was last permitted, by {@link System#nanoTime}; the oldest comes first. */
    private final Map<String, Long> permitted = new LinkedHashMap<>();

    /** @param period how long a subject stays quiet after a record */
    public LogThrottle(Duration period) {
        this.periodNanos = period.toNanos();
    }

    /** Whether to log now. Of concurrent calls for one subject, one is permitted. */
    public synchronized boolean permits(String subject) {
        long now = System.nanoTime();
        Long last = permitted.get(subject);
        if (last != null && now - last <= periodNanos) {
            return false;
        }
        permitted.remove(subject);
        permitted.put(subject, now);
        if (permitted.size() > MOST_SUBJECTS) {
            permitted.remove(permitted.keySet().iterator().next());
        }
        return true;
    }
}
