package dev.countersign.app;

import dev.countersign.access.Audit;
import dev.countersign.api.model.AppRespObj;
import io.quarkus.narayana.jta.QuarkusTransaction;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Singleton;
import jakarta.validation.Validator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Registers the apps of the configuration. Each replica does so at start, before it serves requests. A replica that
 * finds the same values already stored changes nothing. A mistake in an app stops the start.
 */
@Singleton
class ConfiguredApps {

    private static final Set<String> CONFIGURED = Set.of("appId", "displayName", "ttlSeconds", "createTokenPerMinute");

    private final AppsConfig config;
    private final Validator validator;
    private final Audit audit;

    ConfiguredApps(AppsConfig config, Validator validator, Audit audit) {
        this.config = config;
        this.validator = validator;
        this.audit = audit;
    }

    /** Whether the configuration sets this app. */
    boolean contains(String appId) {
        return config.byId().containsKey(appId);
    }

    void register(@Observes StartupEvent start) {
        List<String> mistakes = config.byId().entrySet().stream()
                .flatMap(app -> mistakes(app.getKey(), app.getValue()))
                .sorted()
                .toList();
        if (!mistakes.isEmpty()) {
            throw new InvalidAppsException("The apps are not configured rightly:\n  " + String.join("\n  ", mistakes));
        }
        new TreeMap<>(config.byId()).forEach(this::register);
    }

    private void register(String appId, AppsConfig.AppConfig app) {
        App.Effect effect = QuarkusTransaction.requiringNew()
                .call(() -> App.put(
                        appId,
                        app.displayName().orElse(null),
                        app.ttlSeconds().orElse(null),
                        app.createTokenPerMinute().orElse(null)));
        if (effect != App.Effect.NONE) {
            // The principal is empty: no caller did this.
            audit.done(effect == App.Effect.REGISTERED ? "app-register" : "app-change", "", appId, null, null);
        }
    }

    /** Checks an app by the contract's rules for an app in a reply. */
    private Stream<String> mistakes(String appId, AppsConfig.AppConfig app) {
        AppRespObj shown = new AppRespObj();
        shown.setAppId(appId);
        shown.setDisplayName(app.displayName().orElse(null));
        shown.setTtlSeconds(app.ttlSeconds().orElse(null));
        shown.setCreateTokenPerMinute(app.createTokenPerMinute().orElse(null));
        return validator.validate(shown).stream()
                .filter(violation ->
                        CONFIGURED.contains(violation.getPropertyPath().toString()))
                .map(violation -> "countersign.apps." + appId + ": "
                        + kebab(violation.getPropertyPath().toString()) + " " + violation.getMessage());
    }

    private static String kebab(String camel) {
        return camel.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
    }

    static final class InvalidAppsException extends IllegalStateException {
        InvalidAppsException(String message) {
            super(message);
        }
    }
}
