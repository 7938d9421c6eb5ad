package dev.countersign.app;

import dev.countersign.limit.RegisteredApps;
import io.quarkus.narayana.jta.QuarkusTransaction;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.Map;
import java.util.Set;

/** Reads from the registry what the limits need. */
@ApplicationScoped
class AppRates implements RegisteredApps {

    @Override
    public Map<String, Integer> createTokensPerMinute(int most) {
        return QuarkusTransaction.requiringNew().call(() -> App.createTokensPerMinute(most));
    }

    @Override
    public Set<String> registered(Set<String> appIds) {
        return QuarkusTransaction.requiringNew().call(() -> App.registered(appIds));
    }
}
