package dev.countersign.challenge;

import org.jspecify.annotations.Nullable;

/**
 * What a caller asks for a new token, all of it optional.
 *
 * @param subject whom the token is for
 * @param context JSON, as {@link TokenContext} writes it
 * @param ttlSeconds how long it lives, at most as long as the app's tokens live
 * @param codeChallenge of the verifier that its redeem must present
 */
record TokenRequest(
        @Nullable String subject,
        @Nullable String context,
        @Nullable Integer ttlSeconds,
        @Nullable String codeChallenge) {

    static final TokenRequest EMPTY = new TokenRequest(null, null, null, null);
}
