package dev.countersign.access;

/**
 * An exact name, or a prefix of names.
 *
 * @param text the exact name, or a prefix that ends with {@code *}
 */
record NamePattern(String text) {

    private static final String REST = "*";

    boolean matches(String name) {
        return isPrefix() ? name.startsWith(beginning()) : name.equals(text);
    }

    /** Whether this matches each name that the other matches. */
    boolean covers(NamePattern other) {
        return isPrefix() ? other.beginning().startsWith(beginning()) : text.equals(other.text);
    }

    /** Whether it has a {@code *} before its end. */
    boolean isMalformed() {
        return beginning().contains(REST);
    }

    private boolean isPrefix() {
        return text.endsWith(REST);
    }

    private String beginning() {
        return isPrefix() ? text.substring(0, text.length() - REST.length()) : text;
    }
}
