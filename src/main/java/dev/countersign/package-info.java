/**
 * Countersign issues one-time challenge codes and lets each be redeemed exactly once.
 *
 * <p>There are two features. {@code challenge} is the life cycle of a token; {@code app} is the registry of apps.
 *
 * <p>The features stand on four packages. {@code access} authenticates callers and decides what they may do.
 * {@code limit} limits rates. {@code http} handles what all requests have in common. {@code error} builds error
 * replies. Imports run one way: from the features to these packages.
 *
 * <p>{@code settings} checks the settings at start. {@code logging} writes the log without blocking requests.
 * {@code development} makes dev mode work on a machine with only a JDK.
 *
 * <p>The interfaces in {@code api} and the DTOs in {@code api.model} are generated from {@code openapi.yaml}, the only
 * description of the HTTP API.
 */
@NullMarked
package dev.countersign;

import org.jspecify.annotations.NullMarked;
