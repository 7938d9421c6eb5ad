package dev.countersign.error;

/** The caller is unknown, or may not do what it asked for. */
public class ForbiddenException extends RuntimeException {

    private final String type;

    /**
     * @param type AWS's name for the reason, such as {@code AccessDeniedException}
     * @param message for the caller: which check failed, and nothing secret
     */
    public ForbiddenException(String type, String message) {
        super(message);
        this.type = type;
    }

    public String type() {
        return type;
    }
}
