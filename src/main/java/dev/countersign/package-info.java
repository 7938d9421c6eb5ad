/**
 * Countersign issues one-time challenge codes and lets each be redeemed exactly once.
 *
 * <p>The features are packages: {@code challenge} is the life of a token, {@code app} the registry of apps. They stand on
 * {@code access}, which says who calls and may do what, {@code limit}, which says how much is too much, {@code http}, which
 * holds for every request, and {@code error}, which says what a caller is told when something fails. {@code development}
 * makes dev mode work on a bare machine. The interfaces in {@code api} and the DTOs in {@code api.model} are generated from
 * {@code openapi.yaml}, which is the only description of the HTTP API. Imports run one way: from the features to what they
 * stand on.
 */
@NullMarked
package dev.countersign;

import org.jspecify.annotations.NullMarked;
