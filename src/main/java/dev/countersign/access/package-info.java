/**
 * Authenticates callers, decides what they may do, and writes the audit log.
 *
 * <p>{@link PrincipalsConfig} names the principals. {@link Principals} checks them at start: a mistake in the settings
 * stops the start instead of failing a caller's request.
 *
 * <p>A request is authenticated when it reaches an operation that requires a permission. {@link IssuerResolver} finds
 * the issuer of a bearer token, Quarkus OIDC verifies the token with the issuer's keys ({@link IssuerKeys} keeps them
 * fresh), and {@link SubjectPrincipals} maps it to a principal. {@link SigV4Mechanism} handles every other request;
 * {@link SigV4Verifier} computes the signature again and compares.
 *
 * <p>{@link Permissions} decides by the principal's permissions and apps. {@link Caller} also holds the bearer token's
 * subject. A caller may create tokens for its own subject without {@code delegate}. {@link Audit} writes one line per
 * outcome.
 */
@NullMarked
package dev.countersign.access;

import org.jspecify.annotations.NullMarked;
