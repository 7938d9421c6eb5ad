package dev.countersign.access;

import static dev.countersign.access.SigV4Refusal.invalid;

import io.vertx.core.MultiMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The canonical request of AWS Signature Version 4 ("Create a canonical request" in AWS's documentation). AWS's own
 * signer can't be used to verify: it leaves out headers that some clients sign, such as {@code user-agent}.
 */
final class SigV4CanonicalRequest {

    static final String HOST = "host";
    static final String DATE = "x-amz-date";
    static final String TOKEN = "x-amz-security-token";

    private static final String CONTENT_HASH = "x-amz-content-sha256";
    /**
     * The headers that the verification depends on. Each of them that is sent must be signed. A proxy may add other
     * {@code x-amz-} headers unsigned.
     */
    private static final List<String> MUST_BE_SIGNED = List.of(HOST, DATE, CONTENT_HASH);

    private static final int MOST_HEADER_LINES = 256;
    private static final Pattern ABSOLUTE = Pattern.compile("(?i:https?)://[^/?#@]+(?:/(.*))?");
    private static final String EMPTY_HASH = SigV4SigningKey.sha256(new byte[0]);

    private final String method;
    private final String path;
    private final String query;
    private final Map<String, String> headers;
    private final String bodyHash;

    /**
     * Checks the request and reads what is signed. The work is linear in the request's size: at most 64 names are looked
     * up.
     *
     * @throws dev.countersign.error.ForbiddenException when a required header is not signed or is repeated, a signed
     *     header is missing, there are more than 256 header lines, or the path, the query or the body's hash is wrong
     */
    SigV4CanonicalRequest(List<String> signedHeaders, Received request) {
        headers = signed(signedHeaders, request.headers());
        bodyHash = bodyHash(request);
        method = request.method();
        String target = target(request.uri());
        int question = target.indexOf('?');
        path = question < 0 ? target : target.substring(0, question);
        try {
            query = question < 0 ? "" : SigV4Encoding.query(target.substring(question + 1));
        } catch (IllegalArgumentException e) {
            throw invalid("The query is not validly percent-encoded");
        }
    }

    /** The canonical request as it was received. */
    String received() {
        return sentTo(Objects.requireNonNull(headers.get(HOST)), "");
    }

    /**
     * The canonical request as the client sent it, before a proxy changed it.
     *
     * @param host the host that the client sent it to
     * @param prefix the prefix that the proxy removed from the path
     */
    String sentTo(String host, String prefix) {
        StringBuilder text = new StringBuilder(512)
                .append(method)
                .append('\n')
                .append(SigV4Encoding.path(prefix + path))
                .append('\n')
                .append(query)
                .append('\n');
        headers.forEach((name, value) -> text.append(name)
                .append(':')
                .append(name.equals(HOST) ? host : value)
                .append('\n'));
        return text.append('\n')
                .append(String.join(";", headers.keySet()))
                .append('\n')
                .append(bodyHash)
                .toString();
    }

    /** The signed headers by name, with their canonical values. */
    private static Map<String, String> signed(List<String> names, MultiMap received) {
        if (received.entries().size() > MOST_HEADER_LINES) {
            throw invalid("The request has more than " + MOST_HEADER_LINES + " header lines");
        } else if (!names.contains(HOST)) {
            throw invalid("The host header must be signed");
        }
        for (String name : MUST_BE_SIGNED) {
            int lines = received.getAll(name).size();
            if (lines > 1) {
                throw invalid("Send only one " + name + " header");
            } else if (lines == 1 && !names.contains(name)) {
                throw invalid(name + " must be signed");
            }
        }
        Map<String, String> signed = new LinkedHashMap<>();
        for (String name : names) {
            List<String> values = received.getAll(name);
            if (values.isEmpty()) {
                throw invalid("SignedHeaders names " + name + ", which the request doesn't have");
            }
            signed.put(
                    name,
                    String.join(",", values.stream().map(SigV4Encoding::value).toList()));
        }
        return signed;
    }

    private static String bodyHash(Received request) {
        String hash = request.body().length == 0 ? EMPTY_HASH : SigV4SigningKey.sha256(request.body());
        String told = request.headers().get(CONTENT_HASH);
        if (told != null && !told.equals(hash)) {
            throw invalid(CONTENT_HASH + " is not the hash of the body");
        }
        return hash;
    }

    /**
     * The path and query of the request. A client of a proxy may send them after scheme and host (RFC 9112, section
     * 3.2.2).
     */
    private static String target(String uri) {
        Matcher absolute = ABSOLUTE.matcher(uri);
        String target = absolute.matches() ? "/" + Objects.requireNonNullElse(absolute.group(1), "") : uri;
        if (!target.startsWith("/")) {
            throw invalid("The request line must have a path");
        }
        return target;
    }

    /**
     * A request as it was received.
     *
     * @param uri the request's target, not decoded
     * @param body empty when there is none
     */
    // Requests are never compared, so it is harmless that arrays compare by identity.
    @SuppressWarnings("ArrayRecordComponent")
    record Received(String method, String uri, MultiMap headers, byte[] body) {}
}
