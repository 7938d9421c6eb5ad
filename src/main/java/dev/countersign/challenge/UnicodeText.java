package dev.countersign.challenge;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.countersign.error.BadRequestException;

/** Text that the database can store: it has no NUL there, and UTF-8 has no half of a surrogate pair. */
final class UnicodeText {

    private UnicodeText() {}

    /** @throws BadRequestException that names the member, when its text can't be stored */
    static void require(String member, String text) {
        if (text.indexOf('\0') >= 0 || !UTF_8.newEncoder().canEncode(text)) {
            throw new BadRequestException(member + " must be Unicode text without NUL");
        }
    }
}
