package dev.countersign.http;

import dev.countersign.api.CorsApi;
import jakarta.annotation.security.PermitAll;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Preflights. The CORS filter has set their headers, and there is nothing to add. */
@PermitAll
class CorsResource implements CorsApi {

    private static final CompletionStage<Void> NOTHING = CompletableFuture.completedStage(null);

    @Override
    public CompletionStage<Void> appOptions(String appId) {
        return NOTHING;
    }

    @Override
    public CompletionStage<Void> createTokenOptions(String appId) {
        return NOTHING;
    }

    @Override
    public CompletionStage<Void> deleteTokenOptions(String appId, String sessionId) {
        return NOTHING;
    }

    @Override
    public CompletionStage<Void> getTokenOptions(String appId, String sessionId) {
        return NOTHING;
    }

    @Override
    public CompletionStage<Void> getTokenStatusOptions(String appId, String sessionId) {
        return NOTHING;
    }

    @Override
    public CompletionStage<Void> listAppsOptions() {
        return NOTHING;
    }

    @Override
    public CompletionStage<Void> redeemTokenOptions(String appId, String sessionId) {
        return NOTHING;
    }
}
