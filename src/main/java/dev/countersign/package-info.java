/**
 * Countersign issues one-time challenge codes and lets each be redeemed exactly once.
 *
 * <p>The features are packages: {@code challenge} is the life of a token. Around them, {@code http} is what holds for
 * every request, {@code error} what a caller is told when something fails, and {@code development} what makes dev mode
 * work on a bare machine. The interfaces in {@code api} and the DTOs in {@code api.model} are generated from {@code
 * openapi.yaml}, and are the only description of the HTTP API. Imports run one way: from the features to the rest.
 */
@NullMarked
package dev.countersign;

import org.jspecify.annotations.NullMarked;
