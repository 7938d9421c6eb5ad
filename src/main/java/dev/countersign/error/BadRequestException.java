package dev.countersign.error;

/** The request is not formed properly. The message goes to the caller: it names the part that is wrong. */
public class BadRequestException extends RuntimeException {
    public BadRequestException(String message) {
        super(message);
    }
}
