/**
 * Turns every failure into a reply.
 *
 * <p>The features throw the exceptions of this package, the framework throws its own, and the router fails requests
 * that reach no operation. {@link ErrorReply} turns each into a status, the name by which AWS clients raise their typed
 * exception, and a body of the contract. {@link ErrorMapper} sends it for exceptions of an operation; the router's
 * error handlers send it for the rest. An unforeseen failure is a 504 that reveals nothing internal, and is logged with
 * its cause.
 */
@NullMarked
package dev.countersign.error;

import org.jspecify.annotations.NullMarked;
