package dev.countersign.access;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an {@code Authorization} header of AWS Signature Version 4 says.
 *
 * @param date the day of the credential scope, {@code yyyyMMdd}
 * @param signedHeaders in lowercase, ascending, distinct, at most 64
 * @param signature 64 lowercase hexadecimal digits
 */
record SigV4Authorization(
        String accessKeyId,
        String date,
        String region,
        String service,
        String terminator,
        List<String> signedHeaders,
        String signature) {

    static final String ALGORITHM = "AWS4-HMAC-SHA256";

    private static final int MOST_SIGNED_HEADERS = 64;
    /** A header's name (RFC 9110, section 5.1), in lowercase. */
    private static final Pattern NAME = Pattern.compile("[a-z0-9!#$%&'*+.^_`|~-]+");

    private static final Pattern SEMICOLON = Pattern.compile(";");

    private static final Pattern FORM = Pattern.compile(ALGORITHM
            + " +Credential=([^/, ]+)/([^/, ]+)/([^/, ]+)/([^/, ]+)/([^/, ]+), *"
            + "SignedHeaders=([^, ]+), *Signature=([0-9a-f]{64})");

    /** Empty when the header is not of that form. */
    static Optional<SigV4Authorization> parse(String header) {
        Matcher parts = FORM.matcher(header);
        return parts.matches()
                ? Optional.of(new SigV4Authorization(
                        parts.group(1),
                        parts.group(2),
                        parts.group(3),
                        parts.group(4),
                        parts.group(5),
                        List.of(SEMICOLON.split(parts.group(6), -1)),
                        parts.group(7)))
                : Optional.empty();
    }

    /** AWS's documentation asks for the order. With it, each header is looked at once, and none is signed twice. */
    boolean isListInOrder() {
        for (int i = 1; i < signedHeaders.size(); i++) {
            if (signedHeaders.get(i - 1).compareTo(signedHeaders.get(i)) >= 0) {
                return false;
            }
        }
        return signedHeaders.size() <= MOST_SIGNED_HEADERS
                && signedHeaders.stream().allMatch(name -> NAME.matcher(name).matches());
    }

    /** Without the signature. */
    @Override
    public String toString() {
        return "SigV4Authorization[accessKeyId=" + accessKeyId + ", signedHeaders=" + signedHeaders + "]";
    }
}
