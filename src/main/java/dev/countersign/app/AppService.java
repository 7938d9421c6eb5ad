package dev.countersign.app;

import dev.countersign.access.Audit;
import dev.countersign.access.Principal;
import dev.countersign.error.NoSuchResourceException;
import dev.countersign.http.RequestBudget;
import io.quarkus.narayana.jta.QuarkusTransaction;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Registers, changes, reads, lists and deletes apps. No method blocks: each gives a stage that ends within the request's
 * time budget, and only after what it wrote is durable and holds on every replica; a changed rate holds a second later.
 */
@ApplicationScoped
public class AppService {

    private final RequestBudget budget;
    private final Audit audit;

    AppService(RequestBudget budget, Audit audit) {
        this.budget = budget;
        this.audit = audit;
    }

    /** Registers an app, or replaces what was registered. Of several at once, exactly one registers it. */
    CompletionStage<Put> put(
            String principal,
            String appId,
            @Nullable String displayName,
            @Nullable Integer ttlSeconds,
            @Nullable Integer createTokenPerMinute) {
        return inTransaction(() -> {
                    boolean created = App.put(appId, displayName, ttlSeconds, createTokenPerMinute);
                    return new Put(App.named(appId).orElseThrow(NoSuchResourceException::app), created);
                })
                .thenApply(put -> {
                    audit.done(put.created ? "app-register" : "app-change", principal, appId, null);
                    return put;
                });
    }

    /** What is registered of an app; fails with {@link NoSuchResourceException} when nothing is. */
    CompletionStage<App> get(String appId) {
        return inTransaction(() -> App.named(appId).orElseThrow(NoSuchResourceException::app));
    }

    /**
     * The next apps that the principal may administer, in the order of their IDs.
     *
     * @param after the ID after which they begin, empty for the first
     */
    CompletionStage<List<App>> list(Principal principal, String after, int size) {
        return inTransaction(() -> App.page(after, principal.apps(), size));
    }

    /**
     * Deletes an app. Its tokens can't be reached any more, and stay so when the ID is registered again. Fails with
     * {@link NoSuchResourceException} when it is not registered, as after the first deletion.
     */
    CompletionStage<Void> delete(String principal, String appId) {
        return inTransaction(() -> App.remove(appId)).thenAccept(deleted -> {
            if (!deleted) {
                throw NoSuchResourceException.app();
            }
            audit.done("app-delete", principal, appId, null);
        });
    }

    private <T> CompletionStage<T> inTransaction(Supplier<T> work) {
        return budget.spend(() -> QuarkusTransaction.requiringNew().call(work::get));
    }

    /** An app as it now is, and whether it was not there before. */
    record Put(App app, boolean created) {}
}
