package dev.countersign.challenge;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Binds a token to the holder of the verifier of its challenge (RFC 7636, method S256). */
final class CodeChallenge {

    /** The form of a verifier (RFC 7636, section 4.1). */
    private static final Pattern VERIFIER = Pattern.compile("[A-Za-z0-9._~-]{43,128}");

    private CodeChallenge() {}

    /**
     * Whether a redeem presents what the token requires: the challenge's verifier, or no verifier if there is no
     * challenge (RFC 9700, section 2.1.1). Does the same work in all cases, and compares in a time that doesn't depend
     * on where the two differ.
     */
    static boolean isMet(@Nullable String challenge, @Nullable String verifier) {
        String presented = verifier == null ? "" : verifier;
        boolean wellFormed = VERIFIER.matcher(presented).matches();
        boolean matches = MessageDigest.isEqual(
                (challenge == null ? "" : challenge).getBytes(UTF_8),
                of(presented).getBytes(UTF_8));
        return challenge == null ? verifier == null : wellFormed && matches;
    }

    private static String of(String verifier) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(verifier.getBytes(UTF_8));
            return Base64.getUrlEncoder().withoutPadding().encodeToString(hash);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }
}
