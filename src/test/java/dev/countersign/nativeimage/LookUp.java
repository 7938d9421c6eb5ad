package dev.countersign.nativeimage;

import java.util.List;
import java.util.regex.Pattern;

/**
 * A look-up by name that found something.
 *
 * @param kind what was looked for: {@code type}, {@code method}, {@code field}, {@code handle}, {@code resource}, {@code
 *     service}, {@code bundle}, {@code proxy}, or the method of {@link Class} that lists members
 * @param name of a member: the class that was asked, the class that has it, and the member, with {@code #} between them
 * @param caller class and method, with {@code #} between them
 * @param initializers the classes in whose static initialisers it was made, from the innermost on
 */
record LookUp(String kind, String name, String caller, List<String> initializers) {

    private static final Pattern TAB = Pattern.compile("\t");
    private static final Pattern COMMA = Pattern.compile(",");

    /** A line as {@link LookUpRecorder} writes it. */
    static LookUp of(String line) {
        String[] parts = TAB.split(line, -1);
        return new LookUp(
                parts[0], parts[1], parts[2], parts[3].isEmpty() ? List.of() : List.of(COMMA.split(parts[3], -1)));
    }

    String callingClass() {
        return caller.substring(0, caller.indexOf('#'));
    }
}
