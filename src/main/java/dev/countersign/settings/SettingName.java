package dev.countersign.settings;

import java.util.Locale;
import java.util.Optional;

/**
 * The name of a setting. It may have one {@code *}, which stands for a name that the operator chooses, such as a
 * principal's.
 */
record SettingName(String text) {

    /** The name of a setting as an environment variable. */
    static String variable(String name) {
        return name.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9*<>]", "_");
    }

    /** Whether the operator chooses a part of the name. */
    boolean hasOperatorPart() {
        return text.contains("*");
    }

    /** The text before the part that the operator chooses. */
    String head() {
        return hasOperatorPart() ? text.substring(0, text.indexOf('*')) : text;
    }

    private String tail() {
        return hasOperatorPart() ? text.substring(text.indexOf('*') + 1) : "";
    }

    /** The name with the operator's part, which needs quotes if it has a dot. */
    String with(String name) {
        return hasOperatorPart() ? head() + (name.contains(".") ? '"' + name + '"' : name) + tail() : text;
    }

    /** The name as people write it, with {@code <name>} for the operator's part. */
    String readable() {
        return text.replace("*", "<name>");
    }

    /**
     * Returns the operator's part of a variable that sets this, as written. Returns {@code Optional.of("")} if this
     * setting has no operator's part, and {@code Optional.empty()} if the variable doesn't set it.
     */
    Optional<String> partInVariable(String variable) {
        if (!hasOperatorPart()) {
            return variable(text).equals(variable) ? Optional.of("") : Optional.empty();
        }
        return between(variable, variable(head()), variable(tail()))
                // Refuse SmallRye's notation, which writes quotes as "_": we accept only one spelling.
                .filter(name -> !name.startsWith("_") && !name.endsWith("_"));
    }

    /**
     * Returns the operator's part of a property that sets this. Returns {@code Optional.of("")} if this setting has no
     * operator's part, and {@code Optional.empty()} if the property doesn't set it.
     */
    Optional<String> partInProperty(String property) {
        String single = property.replaceFirst("\\[\\d+]$", "");
        if (!hasOperatorPart()) {
            return single.equals(text) ? Optional.of("") : Optional.empty();
        }
        return between(single, head(), tail())
                .filter(name -> name.matches("\"[^\"]+\"|[^\".]+"))
                .map(name -> name.replace("\"", ""));
    }

    private static Optional<String> between(String whole, String head, String tail) {
        return whole.startsWith(head) && whole.endsWith(tail) && whole.length() > head.length() + tail.length()
                ? Optional.of(whole.substring(head.length(), whole.length() - tail.length()))
                : Optional.empty();
    }

    /**
     * How many letters to change, add or drop to get from this name to the other. The operator's part costs nothing.
     */
    int distance(String other) {
        String pattern = variable(text);
        String given = variable(other);
        int[] above = new int[given.length() + 1];
        for (int j = 0; j < above.length; j++) {
            above[j] = j;
        }
        for (int i = 0; i < pattern.length(); i++) {
            char letter = pattern.charAt(i);
            int[] row = new int[above.length];
            row[0] = above[0] + 1;
            for (int j = 1; j < row.length; j++) {
                row[j] = letter == '*'
                        ? Math.min(above[j - 1], row[j - 1])
                        : Math.min(
                                above[j - 1] + (letter == given.charAt(j - 1) ? 0 : 1),
                                1 + Math.min(above[j], row[j - 1]));
            }
            above = row;
        }
        return above[given.length()];
    }
}
