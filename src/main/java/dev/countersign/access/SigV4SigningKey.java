package dev.countersign.access;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The signing key of AWS Signature Version 4 that is derived from an access key for one credential scope ("Calculate
 * the signature" in AWS's documentation). Immutable.
 */
final class SigV4SigningKey {

    private final String scope;
    private final byte[] key;

    /** @param scope the credential scope, such as {@code 20261123/us-east-1/amplifybackend/aws4_request} */
    SigV4SigningKey(String secret, String scope) {
        this.scope = scope;
        byte[] derived = ("AWS4" + secret).getBytes(UTF_8);
        for (String part : scope.split("/", -1)) {
            derived = hmac(derived, part);
        }
        this.key = derived;
    }

    boolean isFor(String otherScope) {
        return scope.equals(otherScope);
    }

    /**
     * Returns the signature, in lowercase hexadecimal digits.
     *
     * @param time the request's {@code X-Amz-Date}
     */
    String sign(String canonicalRequest, String time) {
        return HexFormat.of()
                .formatHex(hmac(
                        key,
                        String.join(
                                "\n",
                                SigV4Authorization.ALGORITHM,
                                time,
                                scope,
                                sha256(canonicalRequest.getBytes(UTF_8)))));
    }

    /** The SHA-256 hash, in lowercase hexadecimal digits. */
    static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }

    private static byte[] hmac(byte[] key, String text) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(text.getBytes(UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("Every Java platform has HmacSHA256", e);
        }
    }
}
