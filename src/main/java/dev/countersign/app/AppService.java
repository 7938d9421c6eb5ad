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
 * Registers, changes, reads, lists and deletes apps. No method blocks: each gives a stage that ends within the request's
 * time budget, and only after what it wrote is durable and holds on every replica; a changed rate holds a second later. Each fails
 * with {@link TooManyRequestsException} when the principal has called the registry too often.
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
     * Registers an app, or replaces what was registered. Of several at once, exactly one registers it. Fails with
     * {@link ConflictException} when the configuration says what it is.
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
                    audit.done(put.created ? "app-register" : "app-change", principal, appId, null);
                    return put;
                });
    }

    /** What is registered of an app; fails with {@link NoSuchResourceException} when nothing is. */
    CompletionStage<App> get(String principal, String appId) {
        return inTransaction(principal, appId, () -> App.named(appId).orElseThrow(NoSuchResourceException::app));
    }

    /**
     * The next apps that the principal may administer, in the order of their IDs.
     *
     * @param after the ID after which they begin, empty for the first
     */
    CompletionStage<List<App>> list(Principal principal, String after, int size) {
        return inTransaction(principal.getName(), "", () -> App.page(after, principal.apps(), size));
    }

    /**
     * Deletes an app. Its tokens can't be reached any more, and stay so when the ID is registered again. Fails with
     * {@link NoSuchResourceException} when it is not registered, as after the first deletion, and with
     * {@link ConflictException} when the configuration registers it.
     */
    CompletionStage<Void> delete(String principal, String appId) {
        if (configured.contains(appId)) {
            return conflict("app-delete", principal, appId);
        }
        return inTransaction(principal, appId, () -> App.remove(appId)).thenAccept(deleted -> {
            if (!deleted) {
                throw NoSuchResourceException.app();
            }
            audit.done("app-delete", principal, appId, null);
        });
    }

    private <T> CompletionStage<T> conflict(String event, String principal, String appId) {
        audit.refused(event, "configured", principal, appId, null);
        return CompletableFuture.failedStage(
                new ConflictException("This app is set by the service's configuration. Change it there."));
    }

    private <T> CompletionStage<T> inTransaction(String principal, String appId, Supplier<T> work) {
        return limits.admit(AppLimit.REGISTRY, appId, principal)
                .thenCompose(_ ->
                        budget.spend(() -> QuarkusTransaction.requiringNew().call(work::get)));
    }

    /** An app as it now is, and whether it was not there before. */
    record Put(App app, boolean created) {}
}
