package dev.countersign.settings;

import java.util.Locale;
import java.util.Optional;

/** The name of a setting. At most one {@code *} in it stands for a name that the operator gives: a principal's, say. */
record SettingName(String text) {

    /** As an environment variable is called. */
    static String variable(String name) {
        return name.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9*<>]", "_");
    }

    /** Whether the operator gives a part of it. */
    boolean isNamed() {
        return text.contains("*");
    }

    /** What stands before the part that the operator gives. */
    String head() {
        return isNamed() ? text.substring(0, text.indexOf('*')) : text;
    }

    private String tail() {
        return isNamed() ? text.substring(text.indexOf('*') + 1) : "";
    }

    /** With the operator's part, which needs quotes where a dot is in it. */
    String with(String name) {
        return isNamed() ? head() + (name.contains(".") ? '"' + name + '"' : name) + tail() : text;
    }

    /** As people write it. */
    String readable() {
        return text.replace("*", "<name>");
    }

    /** The operator's part of a variable that sets it, as it stands there; empty for one that doesn't. */
    Optional<String> namedBy(String variable) {
        if (!isNamed()) {
            return variable(text).equals(variable) ? Optional.of("") : Optional.empty();
        }
        return between(variable, variable(head()), variable(tail()))
                // SmallRye's notation for quotes: there is one way to write a name, and this isn't it.
                .filter(name -> !name.startsWith("_") && !name.endsWith("_"));
    }

    /** The operator's part of a property that sets it; empty for one that doesn't. */
    Optional<String> namedIn(String property) {
        String single = property.replaceFirst("\\[\\d+]$", "");
        if (!isNamed()) {
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

    /** How many letters one must change, add or drop to get from this to the other; what stands for the star is free. */
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
