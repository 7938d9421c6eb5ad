/**
 * Handles what all requests and replies have in common, whichever operation they name.
 *
 * <p>{@link RequestFilters} lists what a request passes on its way in, in order. {@link Contract} knows the paths and
 * methods. {@link RouterErrors} answers requests that fail before they reach an operation.
 *
 * <p>A request's time begins with its head. {@link RequestDeadline} has the alarm; operations use
 * {@link RequestBudget}. {@link RequestVertxContext} brings the outcome of an operation back to the request.
 */
@NullMarked
package dev.countersign.http;

import org.jspecify.annotations.NullMarked;
