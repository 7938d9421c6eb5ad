/**
 * The life cycle of a challenge token.
 *
 * <p>A caller requests a token for an app. {@link ChallengeService#issue} makes a {@link ChallengeSession} and passes
 * it to {@link ChallengeSessionRepository}, which has all statements on tokens. The row holds no secret: the
 * {@link ChallengeCode} is derived from the row and a key of {@link ChallengeKeys}, again at every read.
 * {@link KeyCheck} ensures that all replicas have the same keys. The database's clock sets the expiry time, and the
 * session ID begins with it.
 *
 * <p>A caller may set the subject, context, lifetime and code challenge of a token; the code
 * covers all of them. A redeem presents the code and, for a token with a {@link CodeChallenge}, the verifier.
 *
 * <p>An operation is a chain of stages. {@link Batcher} lets concurrent operations share what is expensive: a round
 * trip and a commit. A token ends once: it is redeemed, removed, locked by wrong codes, or expires.
 * {@link ExpiredSessionPurge} then drops its partition, which holds five minutes of expiry times
 * ({@link SessionPartitions}).
 */
@NullMarked
package dev.countersign.challenge;

import org.jspecify.annotations.NullMarked;
