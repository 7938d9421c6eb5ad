package dev.countersign.http;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.util.concurrent.CompletableFuture;

/**
 * Brings an answer back to the request that asked for it: to its event loop, where its identity and its request id are
 * known. Whoever answers, a thread of the database's for one, is then free for the next.
 */
public final class CallerContext {

    private CallerContext() {}

    /** The same outcome, delivered in the context of the calling request; at once when there is one already. */
    public static <T> CompletableFuture<T> resume(CompletableFuture<T> answer) {
        Context caller = Vertx.currentContext();
        if (caller == null || answer.isDone()) {
            return answer;
        }
        CompletableFuture<T> resumed = new CompletableFuture<>();
        var _ = answer.whenComplete((value, failure) -> caller.runOnContext(_ -> {
            if (failure == null) {
                resumed.complete(value);
            } else {
                resumed.completeExceptionally(failure);
            }
        }));
        return resumed;
    }
}
