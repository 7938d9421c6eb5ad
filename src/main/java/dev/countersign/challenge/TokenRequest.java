package dev.countersign.challenge;

import org.jspecify.annotations.Nullable;

/**
 * What a caller requests for a new token. Each part is optional; null means not requested.
 *
 * @param subject the person or machine that the token is for
 * @param context JSON, as {@link TokenContext} writes it
 * @param ttlSeconds how long the token lives, at most as long as the app's tokens
 * @param codeChallenge the challenge whose verifier a redeem must present
 */
record TokenRequest(
        @Nullable String subject,
        @Nullable String context,
        @Nullable Integer ttlSeconds,
        @Nullable String codeChallenge) {

    static final TokenRequest EMPTY = new TokenRequest(null, null, null, null);
}
