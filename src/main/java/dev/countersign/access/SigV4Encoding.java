package dev.countersign.access;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.stream.Collectors.joining;

import java.net.URLDecoder;
import java.net.URLEncoder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Encodes a path, a query and a header's value for the canonical request of AWS Signature Version 4. */
final class SigV4Encoding {

    private static final Pattern SPACES = Pattern.compile("[ \t]+");

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
        Map<String, List<String>> values = new TreeMap<>();
        for (String parameter : sent.split("&", -1)) {
            if (!parameter.isEmpty()) {
                String[] parts = parameter.split("=", 2);
                values.computeIfAbsent(again(parts[0]), _ -> new ArrayList<>())
                        .add(parts.length == 1 ? "" : again(parts[1]));
            }
        }
        return values.entrySet().stream()
                .flatMap(name -> name.getValue().stream().sorted().map(value -> name.getKey() + "=" + value))
                .collect(joining("&"));
    }

    /** Removes white space around a header's value, and leaves single spaces within. */
    static String value(String sent) {
        String value = sent.strip();
        if (value.indexOf("  ") < 0 && value.indexOf('\t') < 0) {
            return value;
        }
        return SPACES.matcher(value).replaceAll(" ");
    }

    private static String again(String encoded) {
        return encode(URLDecoder.decode(encoded, UTF_8));
    }

    /** Percent-encodes the UTF-8 of all characters but RFC 3986's unreserved ones (section 2.3). */
    private static String encode(String text) {
        // URLEncoder is for forms: it differs in these three.
        return URLEncoder.encode(text, UTF_8)
                .replace("+", "%20")
                .replace("*", "%2A")
                .replace("%7E", "~");
    }
}
