package dev.countersign.app;

import dev.countersign.access.Audit;
import dev.countersign.access.Principal;
import dev.countersign.error.NoSuchResourceException;
import dev.countersign.http.RequestBudget;
import io.quarkus.narayana.jta.QuarkusTransaction;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Registers, changes, reads, lists and deletes apps. Each call ends within the request's time budget, or throws. What it
 * writes is durable, and holds on every replica, before its method returns.
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
    Put put(
            String appId,
            @Nullable String displayName,
            @Nullable Integer ttlSeconds,
            @Nullable Integer createTokenPerMinute) {
        Put put = inTransaction(() -> {
            boolean created = App.put(appId, displayName, ttlSeconds, createTokenPerMinute);
            return new Put(App.named(appId).orElseThrow(NoSuchResourceException::app), created);
        });
        audit.done(put.created ? "app-register" : "app-change", appId, null);
        return put;
    }

    /**
     * What is registered of an app.
     *
     * @throws NoSuchResourceException when nothing is
     */
    App get(String appId) {
        return inTransaction(() -> App.named(appId)).orElseThrow(NoSuchResourceException::app);
    }

    /**
     * The next apps that the principal may administer, in the order of their IDs.
     *
     * @param after the ID after which they begin, empty for the first
     */
    List<App> list(Principal principal, String after, int size) {
        String[] patterns =
                principal.apps().stream().map(app -> app.replace('*', '%')).toArray(String[]::new);
        return inTransaction(() -> App.page(after, patterns, size));
    }

    /**
     * Deletes an app. Its tokens can't be reached any more, and stay so when the ID is registered again.
     *
     * @throws NoSuchResourceException when it is not registered, as after the first deletion
     */
    void delete(String appId) {
        boolean deleted = inTransaction(() -> App.deleteById(appId));
        if (!deleted) {
            throw NoSuchResourceException.app();
        }
        audit.done("app-delete", appId, null);
    }

    private <T> T inTransaction(Supplier<T> work) {
        return budget.spend(() -> QuarkusTransaction.requiringNew().call(work::get));
    }

    /** An app as it now is, and whether it was not there before. */
    record Put(App app, boolean created) {}
}
