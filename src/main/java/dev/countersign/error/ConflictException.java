package dev.countersign.error;

/** What the request would change is set elsewhere, so that nobody may change it here. */
public class ConflictException extends RuntimeException {

    /** @param message for the caller: where to change it */
    public ConflictException(String message) {
        super(message);
    }
}
