package dev.countersign.challenge;

import java.time.Instant;
import java.util.UUID;

/**
 * A live token as its app sees it.
 *
 * @param expiresAt by the database's clock, in milliseconds
 */
record Challenge(String appId, UUID sessionId, Instant expiresAt, ChallengeCode code) {}
