/**
 * What holds for every request and reply, whichever operation it names.
 *
 * <p>On its way in, a request meets {@link ReplyHeaders} (the request id, and no-store under {@code /prod}), {@link
 * RequestBody}, which reads its body, {@link OriginCheck} and the CORS filter of Quarkus, and then {@link RequestShape} and
 * {@link MethodCheck}, which refuse what could never be a request of this API before anything else looks at it. {@link
 * RequestBudget} bounds the time an operation may take, and {@link CallerContext} brings its outcome back to the request.
 * What fails before it reaches an operation is answered by {@link RouterErrors}.
 */
@NullMarked
package dev.countersign.http;

import org.jspecify.annotations.NullMarked;
