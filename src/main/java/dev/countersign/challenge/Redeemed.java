package dev.countersign.challenge;

import java.time.Instant;
import java.util.UUID;

/**
 * A redeemed token.
 *
 * @param issuedTo the name of the principal that had asked for it
 * @param issuedAt by the database's clock
 * @param redeemedAt by the database's clock
 */
record Redeemed(String appId, UUID sessionId, String issuedTo, Instant issuedAt, Instant redeemedAt) {}
