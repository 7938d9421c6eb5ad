package dev.countersign.error;

import static java.nio.charset.StandardCharsets.UTF_8;

/** Checks that the database can store a text: PostgreSQL stores no NUL, and UTF-8 has no unpaired surrogate. */
public final class UnicodeText {

    private UnicodeText() {}

    /** Whether the database can store the text. */
    public static boolean isStorable(String text) {
        return text.indexOf('\0') < 0 && UTF_8.newEncoder().canEncode(text);
    }

    /**
     * Refuses text that the database can't store.
     *
     * @throws BadRequestException that names the member
     */
    public static void require(String member, String text) {
        if (!isStorable(text)) {
            throw new BadRequestException(member + " must be Unicode text without NUL");
        }
    }
}
