package dev.countersign.error;

import dev.countersign.api.model.ResourceType;

/** The app or the token that a request names doesn't exist, as far as its caller may know. */
public class NoSuchResourceException extends RuntimeException {

    private final ResourceType resourceType;

    private NoSuchResourceException(String message, ResourceType resourceType) {
        super(message);
        this.resourceType = resourceType;
    }

    public static NoSuchResourceException app() {
        return new NoSuchResourceException("No such app", ResourceType.APP);
    }

    /** There is no such token. The reason is not told: it never existed, belongs to another app, or has ended. */
    public static NoSuchResourceException token() {
        return new NoSuchResourceException("No such token", ResourceType.TOKEN);
    }

    public ResourceType resourceType() {
        return resourceType;
    }
}
