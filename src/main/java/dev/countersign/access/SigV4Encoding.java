package dev.countersign.access;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.URLDecoder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HexFormat;
import java.util.List;

/** Encodes a path, a query and a header's value for the canonical request of AWS Signature Version 4. */
final class SigV4Encoding {

    private static final HexFormat HEX = HexFormat.of().withUpperCase();

    private SigV4Encoding() {}

    /**
     * Removes empty segments and dot segments, and percent-encodes each remaining segment once more.
     *
     * @param sent the path as sent; it begins with a slash
     */
    static String path(String sent) {
        Deque<String> segments = new ArrayDeque<>();
        String last = "";
        for (int start = 1; start <= sent.length(); start += last.length() + 1) {
            int slash = sent.indexOf('/', start);
            last = sent.substring(start, slash < 0 ? sent.length() : slash);
            if (last.equals("..")) {
                segments.pollLast();
            } else if (!last.isEmpty() && !last.equals(".")) {
                segments.add(encode(last));
            }
        }
        boolean endsWithSlash = last.isEmpty() || last.equals(".") || last.equals("..");
        return segments.isEmpty() ? "/" : "/" + String.join("/", segments) + (endsWithSlash ? "/" : "");
    }

    /**
     * Sorts the parameters by name and then by value; decodes each and encodes it again.
     *
     * @throws IllegalArgumentException when the query is not validly percent-encoded
     */
    static String query(String sent) {
        if (sent.isEmpty()) {
            return "";
        }
        List<String> parameters = new ArrayList<>();
        int end;
        for (int start = 0; start <= sent.length(); start = end + 1) {
            int ampersand = sent.indexOf('&', start);
            end = ampersand < 0 ? sent.length() : ampersand;
            if (end > start) {
                String parameter = sent.substring(start, end);
                int equals = parameter.indexOf('=');
                String name = equals < 0 ? parameter : parameter.substring(0, equals);
                String value = equals < 0 ? "" : parameter.substring(equals + 1);
                parameters.add(again(name) + "=" + again(value));
            }
        }
        // "=" sorts after some characters of an encoded name ("%", "-", "." and digits), so names are compared without
        // it.
        parameters.sort((one, other) -> {
            int names = name(one).compareTo(name(other));
            return names != 0 ? names : one.compareTo(other);
        });
        return String.join("&", parameters);
    }

    private static String name(String parameter) {
        return parameter.substring(0, parameter.indexOf('='));
    }

    /** Removes white space around a header's value, and leaves single spaces within. */
    static String value(String sent) {
        String value = sent.strip();
        if (value.indexOf("  ") < 0 && value.indexOf('\t') < 0) {
            return value;
        }
        StringBuilder single = new StringBuilder(value.length());
        boolean space = false;
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            boolean isSpace = c == ' ' || c == '\t';
            if (!isSpace) {
                single.append(c);
            } else if (!space) {
                single.append(' ');
            }
            space = isSpace;
        }
        return single.toString();
    }

    private static String again(String encoded) {
        return encode(
                encoded.indexOf('%') < 0 && encoded.indexOf('+') < 0 ? encoded : URLDecoder.decode(encoded, UTF_8));
    }

    /** Percent-encodes the UTF-8 of all characters but RFC 3986's unreserved ones (section 2.3). */
    private static String encode(String text) {
        StringBuilder encoded = new StringBuilder(text.length());
        for (byte octet : text.getBytes(UTF_8)) {
            char c = (char) (octet & 0xff);
            if (c < 0x80 && (Character.isLetterOrDigit(c) || c == '-' || c == '_' || c == '.' || c == '~')) {
                encoded.append(c);
            } else {
                encoded.append('%').append(HEX.toHexDigits(octet));
            }
        }
        return encoded.toString();
    }
}
