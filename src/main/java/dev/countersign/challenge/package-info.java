/**
 * The life of a challenge token.
 *
 * <p>A caller asks for a token for an app: {@link ChallengeService#issue} makes a salt and hands a row to {@link
 * SessionWriter}, which writes what queued meanwhile in one durable statement. The row holds no secret: {@link
 * ChallengeKeys} derives the {@link ChallengeCode} from a key, the app, the session and the salt, now and at every later
 * read. The database's clock says when the token expires, and the session ID begins with that time.
 *
 * <p>An operation is a chain of stages, and {@link SharedRoundTrip} lets concurrent ones share what is dear, a round trip
 * and a commit. Only what is seldom, a removal and a wrong code, waits on a thread, a virtual one of its own. A token ends
 * once: redeemed ({@link SessionRedemption}), removed, locked by wrong codes, or expired. {@link ExpiredSessionPurge} then
 * drops the partition that held it ({@link SessionPartitions}), a whole five minutes of expiry at a time.
 */
@NullMarked
package dev.countersign.challenge;

import org.jspecify.annotations.NullMarked;
