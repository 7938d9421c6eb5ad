package dev.countersign.app;

import dev.countersign.access.Audit;
import dev.countersign.access.Principal;
import dev.countersign.error.ConflictException;
import dev.countersign.error.NoSuchResourceException;
import dev.countersign.error.TooManyRequestsException;
import dev.countersign.http.RequestBudget;
import dev.countersign.limit.AppLimit;
import dev.countersign.limit.AppLimits;
import io.quarkus.narayana.jta.QuarkusTransaction;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Registers, changes, reads, lists and deletes apps. No method blocks. Each returns a stage that completes within the
 * request's time budget. A write completes once it is durable and in effect on every replica; only a changed rate takes
 * up to a second longer. Each fails with {@link TooManyRequestsException} when the principal has called the registry
 * too often.
 */
@ApplicationScoped
public class AppService {

    private final RequestBudget budget;
    private final Audit audit;
    private final AppLimits limits;
    private final ConfiguredApps configured;

    AppService(RequestBudget budget, Audit audit, AppLimits limits, ConfiguredApps configured) {
        this.budget = budget;
        this.audit = audit;
        this.limits = limits;
        this.configured = configured;
    }

    /**
     * Registers an app, or replaces its values. Of several concurrent calls, exactly one registers the app. Fails with
     * {@link ConflictException} when the configuration sets the app.
     */
    CompletionStage<Put> put(
            String principal,
            String appId,
            @Nullable String displayName,
            @Nullable Integer ttlSeconds,
            @Nullable Integer createTokenPerMinute) {
        if (configured.contains(appId)) {
            return conflict("app-change", principal, appId);
        }
        return inTransaction(principal, appId, () -> {
                    boolean created =
                            App.put(appId, displayName, ttlSeconds, createTokenPerMinute) == App.Effect.REGISTERED;
                    return new Put(App.named(appId).orElseThrow(NoSuchResourceException::app), created);
                })
                .thenApply(put -> {
                    audit.done(put.created ? "app-register" : "app-change", principal, appId, null, null);
                    return put;
                });
    }

    /** Returns a registered app. Fails with {@link NoSuchResourceException} when the app is not registered. */
    CompletionStage<App> get(String principal, String appId) {
        return inTransaction(principal, appId, () -> App.named(appId).orElseThrow(NoSuchResourceException::app));
    }

    /**
     * Returns the next apps that the principal may administer, in order of ID.
     *
     * @param after the ID after which the page begins; empty for the first page
     */
    CompletionStage<List<App>> list(Principal principal, String after, int size) {
        return inTransaction(principal.getName(), "", () -> App.page(after, principal.apps(), size));
    }

    /**
     * Deletes an app. Its tokens become unreachable, and stay so when the ID is registered again. Fails with
     * {@link NoSuchResourceException} when the app is not registered, as after the first deletion, and with
     * {@link ConflictException} when the configuration sets the app.
     */
    CompletionStage<Void> delete(String principal, String appId) {
        if (configured.contains(appId)) {
            return conflict("app-delete", principal, appId);
        }
        return inTransaction(principal, appId, () -> App.remove(appId)).thenAccept(deleted -> {
            if (!deleted) {
                throw NoSuchResourceException.app();
            }
            audit.done("app-delete", principal, appId, null, null);
        });
    }

    private <T> CompletionStage<T> conflict(String event, String principal, String appId) {
        audit.refused(event, "configured", principal, appId, null, null);
        return CompletableFuture.failedStage(
                new ConflictException("This app is set by the service's configuration. Change it there."));
    }

    private <T> CompletionStage<T> inTransaction(String principal, String appId, Supplier<T> work) {
        return limits.admit(AppLimit.REGISTRY, appId, principal)
                .thenCompose(_ ->
                        budget.spend(() -> QuarkusTransaction.requiringNew().call(work::get)));
    }

    /** An app after a put, and whether the put registered it. */
    record Put(App app, boolean created) {}
}
