/**
 * What holds for every request and reply, whichever operation it names.
 *
 * <p>{@link RequestFilters} lists what a request passes on its way in, in order. {@link Contract} knows the paths and methods.
 * A request's time begins with its head: {@link RequestDeadline} has its one alarm, and {@link RequestBudget} is what
 * operations see of it. {@link CallerContext} brings the outcome of an operation back to the request. What fails before it
 * reaches an operation is answered by {@link RouterErrors}.
 */
@NullMarked
package dev.countersign.http;

import org.jspecify.annotations.NullMarked;
