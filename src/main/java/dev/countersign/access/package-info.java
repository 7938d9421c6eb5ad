/**
 * Who is calling, and what may they do.
 *
 * <p>{@link PrincipalsConfig} names the principals; {@link Principals} checks them at start, so that a mistake stops the
 * service and not a caller. A request is authenticated when it reaches an operation that asks for a permission: a bearer
 * token by Quarkus OIDC with the keys of the issuer that {@link IssuerResolver} finds, after which {@link
 * SubjectPrincipals} maps it to a principal, and everything else by {@link SigV4Mechanism}, which has {@link SigV4Verifier}
 * compute the signature again. {@link Permissions} then decides by the principal's permissions and apps; {@link Caller} also
 * has the subject of a bearer token, for whom it may ask for a token. {@link Audit} writes one line for whatever came of it.
 */
@NullMarked
package dev.countersign.access;

import org.jspecify.annotations.NullMarked;
