package dev.countersign.error;

import static java.nio.charset.StandardCharsets.UTF_8;

/** Text that the database can store: it has no NUL there, and UTF-8 has no half of a surrogate pair. */
public final class UnicodeText {

    private UnicodeText() {}

    /** Whether the database can store it. */
    public static boolean isStorable(String text) {
        return text.indexOf('\0') < 0 && UTF_8.newEncoder().canEncode(text);
    }

    /**
     * Refuses text that can't be stored.
     *
     * @throws BadRequestException that names the member
     */
    public static void require(String member, String text) {
        if (!isStorable(text)) {
            throw new BadRequestException(member + " must be Unicode text without NUL");
        }
    }
}
