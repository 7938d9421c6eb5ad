package dev.countersign.access;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an {@code Authorization} header of AWS Signature Version 4 says.
 *
 * @param date the day of the credential scope, {@code yyyyMMdd}
 * @param signedHeaders as listed, in lowercase and sorted when the client did it right
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
                        List.of(parts.group(6).split(";", -1)),
                        parts.group(7)))
                : Optional.empty();
    }

    /** Without the signature. */
    @Override
    public String toString() {
        return "SigV4Authorization[accessKeyId=" + accessKeyId + ", signedHeaders=" + signedHeaders + "]";
    }
}
