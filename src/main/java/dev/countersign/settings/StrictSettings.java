package dev.countersign.settings;

import static java.util.stream.Collectors.toCollection;

import io.quarkus.runtime.LaunchMode;
import io.smallrye.config.ConfigSourceContext;
import io.smallrye.config.ConfigSourceFactory;
import io.smallrye.config.ConfigSourceInterceptor;
import io.smallrye.config.ConfigSourceInterceptorContext;
import io.smallrye.config.ConfigValue;
import io.smallrye.config.EnvConfigSource;
import io.smallrye.config.Expressions;
import io.smallrye.config.PropertiesConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import io.smallrye.config.SmallRyeConfigBuilderCustomizer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;
import org.eclipse.microprofile.config.spi.ConfigSource;
import org.jspecify.annotations.Nullable;

/**
 * Reads settings from the environment, refuses settings that nothing reads, and takes secrets literally. SmallRye
 * Config loads this class as a service. It acts only where our mappings are read, which is when the service starts.
 */
public final class StrictSettings implements SmallRyeConfigBuilderCustomizer {

    /** The settings that are read alone and not as part of a mapping. */
    static final Set<String> READ_ALONE = Set.of("countersign.request-timeout", "countersign.api-docs.enabled");

    /**
     * The one expression allowed in a secret: with it, application.properties makes migrations connect as the service
     * does.
     */
    private static final String DATASOURCE_PASSWORD = "${quarkus.datasource.password:}";

    private static final String OURS = "countersign.";
    private static final String VARIABLE = "COUNTERSIGN_";

    /**
     * The variables that Kubernetes sets in each pod for a Service named countersign, or with a name that begins so.
     */
    private static final Pattern OF_A_SERVICE = Pattern.compile(
            "COUNTERSIGN_(\\w+_)?(SERVICE_HOST|SERVICE_PORT(_\\w+)?|PORT(_\\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)");

    private static final Pattern OUR_SECRET =
            Pattern.compile("countersign\\.challenge\\.keys\\..+|countersign\\.principals\\..+\\.secret-access-key");
    private static final Pattern QUARKUS_SECRET = Pattern.compile("(?i)quarkus[._].*(password|secret).*");

    /** Higher than the environment's, lower than that of system properties. */
    private static final int ORDINAL = EnvConfigSource.ORDINAL + 1;

    private final boolean inTest;

    public StrictSettings() {
        this(LaunchMode.current() == LaunchMode.TEST);
    }

    /** @param inTest whether this process runs tests, which have properties of their own */
    StrictSettings(boolean inTest) {
        this.inTest = inTest;
    }

    @Override
    public void configBuilder(SmallRyeConfigBuilder builder) {
        Literally secrets = new Literally();
        builder.withInterceptors(secrets);
        builder.withSources((ConfigSourceFactory) context -> {
            List<SettingName> known = known(builder);
            if (known.isEmpty()) {
                return List.of();
            }
            Settings settings = new Settings(context, known, inTest);
            ConfigSource source = settings.checked();
            secrets.names.addAll(settings.properties);
            secrets.names.addAll(source.getPropertyNames());
            return List.of(source);
        });
    }

    /**
     * Returns the settings that exist. Empty where our mappings are not read: in the build, and in what Quarkus does
     * before it starts the service.
     */
    private static List<SettingName> known(SmallRyeConfigBuilder builder) {
        Set<String> names = builder.getMappingsBuilder().getMappings().stream()
                .flatMap(mapping -> mapping.getProperties().keySet().stream())
                .filter(name -> name.startsWith(OURS) && !name.contains("["))
                .collect(toCollection(TreeSet::new));
        if (!names.isEmpty()) {
            names.addAll(READ_ALONE);
        }
        return names.stream().map(SettingName::new).toList();
    }

    /** All settings of all sources. */
    private static final class Settings {

        private final ConfigSourceContext context;
        private final List<SettingName> known;
        private final boolean inTest;
        private final Set<String> variables = new TreeSet<>();
        private final Set<String> properties = new TreeSet<>();
        private final List<String> mistakes = new ArrayList<>();

        Settings(ConfigSourceContext context, List<SettingName> known, boolean inTest) {
            this.context = context;
            this.known = known;
            this.inTest = inTest;
            for (ConfigSource source : context.getConfigSources()) {
                if (source instanceof EnvConfigSource) {
                    variables.addAll(source.getPropertyNames());
                } else {
                    // Settings of other profiles are checked too.
                    source.getPropertyNames().forEach(name -> properties.add(name.replaceFirst("^%[^.]+\\.", "")));
                }
            }
            // SmallRye adds a guessed property for each variable. A dotted name that matches no variable was set in the
            // environment under that name. Treat it as a property.
            Set<String> guessed =
                    variables.stream().filter(name -> !isVariable(name)).collect(toCollection(TreeSet::new));
            variables.removeAll(guessed);
            Set<String> given = variables.stream().map(SettingName::variable).collect(toCollection(TreeSet::new));
            guessed.stream()
                    .filter(name -> !given.contains(SettingName.variable(name)))
                    .forEach(properties::add);
        }

        /** Whether it is a variable and not a guess. Kubernetes allows dots in variables, so ours may have some. */
        private static boolean isVariable(String name) {
            return !name.contains(".") || name.startsWith(VARIABLE);
        }

        /** Checks all settings. Returns the environment's under their names. */
        ConfigSource checked() {
            Set<String> ours = starting(properties, OURS);
            Set<String> fromVariables = starting(variables, VARIABLE);
            Map<String, String> meant = new EnvironmentNames(known, ours, mistakes).settings(fromVariables);
            for (String variable : fromVariables) {
                if (!meant.containsKey(variable)
                        && !OF_A_SERVICE.matcher(variable).matches()) {
                    mistakes.add(variable + " is no setting; the nearest is "
                            + SettingName.variable(nearest(variable).readable()));
                }
            }
            if (!inTest) {
                for (String property : ours) {
                    if (known.stream()
                            .allMatch(
                                    setting -> setting.partInProperty(property).isEmpty())) {
                        mistakes.add(property + " is no setting; the nearest is "
                                + nearest(property).readable());
                    }
                }
            }
            Map<String, String> values = new HashMap<>();
            meant.forEach((variable, setting) -> {
                String value = raw(variable);
                if (value != null) {
                    values.put(setting, value);
                }
            });
            checkSecrets(meant);
            if (!mistakes.isEmpty()) {
                throw new InvalidSettingsException("The settings are not right:\n  "
                        + String.join("\n  ", mistakes.stream().sorted().toList()));
            }
            return new PropertiesConfigSource(values, "COUNTERSIGN_* variables", ORDINAL);
        }

        private void checkSecrets(Map<String, String> meant) {
            meant.forEach((variable, setting) -> {
                if (OUR_SECRET.matcher(setting).matches()) {
                    checkSpace(variable);
                }
            });
            for (String property : properties) {
                if (OUR_SECRET.matcher(property).matches()) {
                    checkSpace(property);
                }
            }
            Set<String> all = new TreeSet<>(properties);
            all.addAll(variables);
            for (String name : all) {
                if (QUARKUS_SECRET.matcher(name).matches()) {
                    checkSpace(name);
                    String raw = raw(name);
                    if (raw != null && !raw.equals(DATASOURCE_PASSWORD) && !raw.equals(expanded(name))) {
                        mistakes.add(name + " has a ${…}, $$ or \\$, which Quarkus would replace by something else."
                                + " Choose a secret without.");
                    }
                }
            }
        }

        private void checkSpace(String name) {
            String value = raw(name);
            if (value != null && !value.equals(value.strip())) {
                mistakes.add(name + " begins or ends with white space, a line's end perhaps. Set it without.");
            }
        }

        private @Nullable String raw(String name) {
            return Expressions.withoutExpansion(() -> value(context.getValue(name)));
        }

        /** The value with expressions expanded; null when they can't be. */
        private @Nullable String expanded(String name) {
            try {
                return value(context.getValue(name));
            } catch (RuntimeException _) {
                // Not reported: its message could show a part of the secret.
                return null;
            }
        }

        private static @Nullable String value(@Nullable ConfigValue value) {
            return value == null ? null : value.getValue();
        }

        private SettingName nearest(String name) {
            return known.stream()
                    .min(Comparator.comparingInt(setting -> setting.distance(name)))
                    .orElseThrow();
        }

        private static Set<String> starting(Set<String> names, String start) {
            return names.stream().filter(name -> name.startsWith(start)).collect(toCollection(TreeSet::new));
        }
    }

    /** Returns our secrets as they are, and hides the names that SmallRye guesses from our variables. */
    private static final class Literally implements ConfigSourceInterceptor {

        /**
         * The names in all sources but the environment, and those that its variables mean. Empty before they are known.
         */
        private final Set<String> names = new HashSet<>();

        @Override
        public @Nullable ConfigValue getValue(ConfigSourceInterceptorContext context, String name) {
            return OUR_SECRET.matcher(name).matches()
                    ? Expressions.withoutExpansion(() -> context.proceed(name))
                    : context.proceed(name);
        }

        @Override
        public Iterator<String> iterateNames(ConfigSourceInterceptorContext context) {
            if (names.isEmpty()) {
                return context.iterateNames();
            }
            Iterable<String> all = context::iterateNames;
            return StreamSupport.stream(all.spliterator(), false)
                    .filter(name -> !name.startsWith(OURS) || names.contains(name) || isNotOfAVariable(context, name))
                    .iterator();
        }

        private static boolean isNotOfAVariable(ConfigSourceInterceptorContext context, String name) {
            ConfigValue value = Expressions.withoutExpansion(() -> context.proceed(name));
            return value == null
                    || value.getSourceName() == null
                    || !value.getSourceName().startsWith(EnvConfigSource.NAME);
        }
    }

    /** The settings are wrong. The message says which, and what to change. */
    static final class InvalidSettingsException extends IllegalStateException {
        InvalidSettingsException(String message) {
            super(message);
        }
    }
}
