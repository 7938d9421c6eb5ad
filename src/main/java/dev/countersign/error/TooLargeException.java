package dev.countersign.error;

/** The body is larger than any request of this API. */
public class TooLargeException extends RuntimeException {
    /** @param maxBytes how large it may be */
    public TooLargeException(long maxBytes) {
        super("The body may have at most " + maxBytes + " bytes");
    }
}
