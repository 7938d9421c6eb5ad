package dev.countersign.error;

/**
 * The service can't serve the request now. The message and the cause are for the log; the caller is only told to try
 * again.
 */
public class UnavailableException extends RuntimeException {
    public UnavailableException(String message) {
        super(message);
    }

    public UnavailableException(String message, Throwable cause) {
        super(message, cause);
    }
}
