package dev.countersign.error;

/** The request would change something that is set elsewhere and can't be changed here. */
public class ConflictException extends RuntimeException {

    /** @param message for the caller: where to change it */
    public ConflictException(String message) {
        super(message);
    }
}
