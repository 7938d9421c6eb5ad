package dev.countersign.app;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.countersign.error.BadRequestException;
import java.util.Base64;
import java.util.regex.Pattern;

/** The cursor of a page of apps. It is opaque to clients, so that its format can change. */
final class PageCursor {

    /** The version of the format, then the last app ID of the page. */
    private static final Pattern DECODED = Pattern.compile("1[a-z0-9]{1,64}");

    private PageCursor() {}

    static String after(String appId) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(("1" + appId).getBytes(UTF_8));
    }

    /**
     * The app ID after which the next page begins.
     *
     * @throws BadRequestException when the text is not a cursor
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
