package dev.countersign.access;

import static dev.countersign.access.SigV4Refusal.incomplete;
import static dev.countersign.access.SigV4Refusal.invalid;

import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The parsed {@code Authorization} header of AWS Signature Version 4.
 *
 * @param scope the credential scope: a day, a region, a service and a terminator, with slashes between
 * @param signedHeaders in lowercase, ascending, distinct, at most 64
 * @param signature 64 lowercase hexadecimal digits
 */
record SigV4Authorization(String accessKeyId, String scope, List<String> signedHeaders, String signature) {

    static final String ALGORITHM = "AWS4-HMAC-SHA256";

    private static final int MOST_SIGNED_HEADERS = 64;
    /** A header's name (RFC 9110, section 5.1), in lowercase. */
    private static final String NAME = "[a-z0-9!#$%&'*+.^_`|~-]+";

    private static final Pattern NAMES = Pattern.compile(NAME + "(?:;" + NAME + ")*");

    private static final Pattern FORM = Pattern.compile(ALGORITHM + " +Credential=([^/, ]+)/([^/, ]+(?:/[^/, ]+){3}), *"
            + "SignedHeaders=([^, ]+), *Signature=([0-9a-f]{64})");

    /** @throws dev.countersign.error.ForbiddenException when the header is not of that form */
    static SigV4Authorization parse(String header) {
        Matcher parts = FORM.matcher(header);
        if (!parts.matches()) {
            throw incomplete(
                    "The Authorization header must be " + ALGORITHM + " with Credential, SignedHeaders and Signature");
        }
        List<String> names = List.of(parts.group(3).split(";", -1));
        if (names.size() > MOST_SIGNED_HEADERS
                || !List.copyOf(new TreeSet<>(names)).equals(names)
                || !NAMES.matcher(parts.group(3)).matches()) {
            throw invalid("SignedHeaders must list at most 64 names in lowercase, in ascending order, each once");
        }
        return new SigV4Authorization(parts.group(1), parts.group(2), names, parts.group(4));
    }

    /** Without the signature. */
    @Override
    public String toString() {
        return "SigV4Authorization[accessKeyId=" + accessKeyId + ", signedHeaders=" + signedHeaders + "]";
    }
}
