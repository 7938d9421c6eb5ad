package dev.countersign.error;

/** The request is malformed. The message goes to the caller and names the part that is wrong. */
public class BadRequestException extends RuntimeException {
    public BadRequestException(String message) {
        super(message);
    }
}
