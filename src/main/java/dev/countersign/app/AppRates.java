package dev.countersign.app;

import dev.countersign.limit.RegisteredApps;
import io.quarkus.narayana.jta.QuarkusTransaction;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.Map;

/** Reads from the registry what the limits need. */
@ApplicationScoped
class AppRates implements RegisteredApps {

    @Override
    public Map<String, Integer> createTokensPerMinute(int most) {
        return QuarkusTransaction.requiringNew().call(() -> App.createTokensPerMinute(most));
    }

    @Override
    public boolean isRegistered(String appId) {
        return QuarkusTransaction.requiringNew().call(() -> App.isRegistered(appId));
    }
}
