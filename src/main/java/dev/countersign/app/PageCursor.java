package dev.countersign.app;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.countersign.error.BadRequestException;
import java.util.Base64;
import java.util.regex.Pattern;

/** Where a page of apps ended, as clients get it: text that means nothing to them, so that it can come to mean something else. */
final class PageCursor {

    /** A version, and the last app ID of the page. */
    private static final Pattern DECODED = Pattern.compile("1[a-z0-9]{1,64}");

    private PageCursor() {}

    static String after(String appId) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(("1" + appId).getBytes(UTF_8));
    }

    /**
     * The app ID after which the next page begins.
     *
     * @throws BadRequestException when no page had this cursor
     */
    static String appId(String cursor) {
        String decoded;
        try {
            decoded = new String(Base64.getUrlDecoder().decode(cursor), UTF_8);
        } catch (IllegalArgumentException e) {
            decoded = "";
        }
        if (!DECODED.matcher(decoded).matches()) {
            throw new BadRequestException("nextToken must be that of the page before");
        }
        return decoded.substring(1);
    }
}
