package dev.countersign.http;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.concurrent.CompletableFuture;

/**
 * Delivers an answer in the Vert.x context of the request that asked for it, on the request's event loop, where the
 * request's identity and request id are known. The thread that answers, such as one of the database's, is then free for
 * the next answer.
 */
public final class RequestVertxContext {

    private RequestVertxContext() {}

    /**
     * Returns the same outcome, delivered in the context of the calling request. Returns the given future if it is
     * already done, or if there is no such context.
     */
    public static <T> CompletableFuture<T> resume(CompletableFuture<T> answer) {
        Context caller = Vertx.currentContext();
        return caller == null || answer.isDone()
                ? answer
                : Future.fromCompletionStage(answer, caller).toCompletionStage().toCompletableFuture();
    }
}
