package dev.countersign.contract;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * A request that is made of the contract, and what may have been done to it since.
 *
 * @param method as sent
 * @param segments those of its path, as sent
 * @param query with its question mark, or empty
 * @param headers lines, without those that frame the body
 * @param body its bytes, each as the character of that number; null for none
 * @param live whether it is for a token that lives, and so must succeed unless it is refused
 * @param changes what was done to it
 * @param refusals the statuses that it may be refused with for its changes
 * @param refused whether it must be
 */
record ApiRequest(
        Operation operation,
        String method,
        List<String> segments,
        String query,
        List<String> headers,
        String body,
        boolean live,
        List<String> changes,
        Set<Integer> refusals,
        boolean refused) {

    /** Where the ID of a token that lives is to stand. */
    static final String LIVE_SESSION = "00000000-0000-0000-0000-00000000live";

    /** Where its code is. */
    static final String LIVE_CODE = "the-code-of-the-live-token";

    ApiRequest withMethod(String other) {
        return new ApiRequest(operation, other, segments, query, headers, body, live, changes, refusals, refused);
    }

    ApiRequest withSegments(List<String> other) {
        return new ApiRequest(operation, method, other, query, headers, body, live, changes, refusals, refused);
    }

    ApiRequest withSegment(int index, String other) {
        List<String> changed = new ArrayList<>(segments);
        changed.set(index, other);
        return withSegments(changed);
    }

    ApiRequest withQuery(String other) {
        return new ApiRequest(operation, method, segments, other, headers, body, live, changes, refusals, refused);
    }

    ApiRequest withBody(byte[] bytes) {
        return new ApiRequest(
                operation,
                method,
                segments,
                query,
                headers,
                new String(bytes, ISO_8859_1),
                live,
                changes,
                refusals,
                refused);
    }

    ApiRequest withBody(String text) {
        return withBody(text.getBytes(UTF_8));
    }

    ApiRequest withoutBody() {
        return new ApiRequest(operation, method, segments, query, headers, null, live, changes, refusals, refused);
    }

    ApiRequest withHeader(String line) {
        List<String> more = new ArrayList<>(headers);
        more.add(line);
        return new ApiRequest(operation, method, segments, query, more, body, live, changes, refusals, refused);
    }

    ApiRequest withoutHeader(String name) {
        List<String> fewer = headers.stream()
                .filter(line -> !line.regionMatches(true, 0, name + ":", 0, name.length() + 1))
                .toList();
        return new ApiRequest(operation, method, segments, query, fewer, body, live, changes, refusals, refused);
    }

    /** In the place of all those of that name. */
    ApiRequest withOnly(String name, String value) {
        return withoutHeader(name).withHeader(name + ": " + value);
    }

    ApiRequest changed(String change, Set<Integer> statuses) {
        List<String> moreChanges = new ArrayList<>(changes);
        moreChanges.add(change);
        Set<Integer> moreRefusals = new TreeSet<>(refusals);
        moreRefusals.addAll(statuses);
        boolean mustFail = refused || (!statuses.isEmpty() && !statuses.contains(Change.OR_NOT));
        return new ApiRequest(
                operation, method, segments, query, headers, body, live, moreChanges, moreRefusals, mustFail);
    }

    ApiRequest forToken(Map<String, String> token) {
        String session = token.get("sessionId");
        ApiRequest named = withSegments(segments.stream()
                .map(segment -> segment.replace(LIVE_SESSION, session))
                .toList());
        return body == null
                ? named
                : named.withBody(
                        body.replace(LIVE_CODE, token.get("challengeCode")).getBytes(ISO_8859_1));
    }

    String path() {
        return "/" + String.join("/", segments);
    }

    boolean isPreflight() {
        return method.equals("OPTIONS")
                && header("Origin").equals(Change.ALLOWED_ORIGIN)
                && headers.stream().anyMatch(line -> line.startsWith("Access-Control-Request-Method:"));
    }

    boolean isHead() {
        return method.equals("HEAD");
    }

    String header(String name) {
        return headers.stream()
                .filter(line -> line.regionMatches(true, 0, name + ":", 0, name.length() + 1))
                .map(line -> line.substring(name.length() + 1).strip())
                .collect(Collectors.joining(", "));
    }

    /** As it is sent. */
    byte[] bytes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.writeBytes(head().getBytes(ISO_8859_1));
        if (body != null) {
            bytes.writeBytes(body.getBytes(ISO_8859_1));
        }
        return bytes.toByteArray();
    }

    private String head() {
        StringBuilder head = new StringBuilder(method + " " + path() + query + " HTTP/1.1\r\n");
        headers.forEach(line -> head.append(line).append("\r\n"));
        if (body != null || !Set.of("GET", "HEAD", "DELETE", "OPTIONS").contains(method)) {
            head.append("Content-Length: ")
                    .append(body == null ? 0 : body.length())
                    .append("\r\n");
        }
        return head.append("\r\n").toString();
    }

    /** In one line. */
    String what() {
        return operation + " " + changes + (refusals.isEmpty() ? "" : " expecting " + refusals);
    }

    @Override
    public String toString() {
        String sent = new String(bytes(), UTF_8).replaceAll("(?i)(Authorization: Bearer ey.{6})\\S+", "$1…");
        return what() + "\n" + (sent.length() > 2000 ? sent.substring(0, 2000) + "…" : sent);
    }
}
