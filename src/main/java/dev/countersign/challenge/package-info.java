/**
 * The life of a challenge token.
 *
 * <p>A caller asks for a token for an app: {@link ChallengeService#issue} makes a {@link ChallengeSession} and hands it to
 * {@link ChallengeSessionRepository}, where all statements stand. The row holds no secret: {@link ChallengeKeys} has the keys
 * from which, and from the row, the {@link ChallengeCode} is derived, now and at every later read; {@link KeyCheck} sees to
 * it that all replicas have the same. The database's clock says when the token expires, and the session ID begins with
 * that time.
 *
 * <p>A caller may say whom a token is for, what its app is to learn, and how it is bound ({@link TokenRequest}); the code covers
 * all of it. A redeem presents the code and, for a token with a {@link CodeChallenge}, the verifier.
 *
 * <p>An operation is a chain of stages, and {@link Batcher} lets concurrent ones share what is dear, a round trip and a
 * commit. A token ends once: redeemed, removed, locked by wrong codes, or expired. {@link ExpiredSessionPurge} then drops
 * the partition that held it ({@link SessionPartitions}), a whole five minutes of expiry at a time.
 */
@NullMarked
package dev.countersign.challenge;

import org.jspecify.annotations.NullMarked;
