package dev.countersign.settings;

import io.smallrye.config.ConfigSourceInterceptor;
import io.smallrye.config.ConfigSourceInterceptorContext;
import io.smallrye.config.ConfigValue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Gives each named issuer of tokens ({@code quarkus.oidc.<name>.…}) the settings that application.properties has for
 * the unnamed one, unless the named one has its own. Quarkus would use its own defaults, which are not safe. SmallRye
 * Config loads this class as a service.
 */
public final class IssuerDefaults implements ConfigSourceInterceptor {

    private static final Pattern NAMED = Pattern.compile("quarkus\\.oidc\\.(?:[^\".]+|\"[^\"]+\")\\."
            + "(connection-timeout|token\\.(?:signature-algorithm|allow-jwt-introspection"
            + "|allow-opaque-token-introspection|forced-jwk-refresh-interval|lifespan-grace))");

    @Override
    public @Nullable ConfigValue getValue(ConfigSourceInterceptorContext context, String name) {
        ConfigValue own = context.proceed(name);
        if (own != null && !own.isDefault()) {
            return own;
        }
        Matcher named = NAMED.matcher(name);
        ConfigValue unnamed = named.matches() ? context.proceed("quarkus.oidc." + named.group(1)) : null;
        return unnamed == null ? own : unnamed.withName(name);
    }
}
