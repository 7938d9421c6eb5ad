/**
 * What can go wrong, and the one place that says how.
 *
 * <p>The features throw the exceptions of this package, the framework throws its own, and the router fails requests that
 * reach nobody. {@link ErrorReply} turns any of them into a status, the name by which AWS clients raise their typed
 * exception, and a body of the contract. {@link ErrorMapper} sends it for what an operation threw, the router's error
 * handlers for the rest. A failure that nobody foresaw is a 504 that says nothing of the inside, and is logged with its
 * cause.
 */
@NullMarked
package dev.countersign.error;

import org.jspecify.annotations.NullMarked;
