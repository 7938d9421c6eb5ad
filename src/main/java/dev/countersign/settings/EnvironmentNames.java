package dev.countersign.settings;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Maps environment variables to settings. In a variable, a {@code _} in an operator's name, such as a principal's, can
 * mean {@code _}, {@code -} or {@code .}. It means the character that another source of settings has in this name, and
 * otherwise {@code -}.
 */
final class EnvironmentNames {

    private final Collection<SettingName> known;
    private final List<String> mistakes;

    /** The operator's names. The key is the setting's head and the name, as a variable writes both. */
    private final Map<String, Set<String>> names = new HashMap<>();

    /**
     * @param properties the settings of other sources
     * @param mistakes receives a message for each mistake
     */
    EnvironmentNames(Collection<SettingName> known, Collection<String> properties, List<String> mistakes) {
        this.known = known;
        this.mistakes = mistakes;
        for (String property : properties) {
            for (SettingName setting : known) {
                setting.partInProperty(property)
                        .filter(_ -> setting.hasOperatorPart())
                        .ifPresent(name -> learn(setting, name));
            }
        }
    }

    /** Returns the setting of each variable. A variable that sets nothing is left out. */
    Map<String, String> settings(Collection<String> variables) {
        Map<String, Reading> readings = new HashMap<>();
        for (String variable : variables) {
            all(variable).stream()
                    .max(Comparator.comparingInt(
                            reading -> reading.setting.text().length()))
                    .ifPresent(reading -> readings.put(variable, reading));
        }
        readings.values().stream()
                .filter(reading ->
                        reading.setting.hasOperatorPart() && known(reading).isEmpty())
                // Collect all before learning any. If two variables spell one name differently, both spellings are
                // learnt, and the ambiguity is reported.
                .toList()
                .forEach(reading -> learn(reading.setting, canonical(reading.part)));
        Map<String, String> settings = new HashMap<>();
        readings.forEach((variable, reading) -> {
            Set<String> meant = new TreeSet<>();
            for (Reading other : all(variable)) {
                if (other.equals(reading) || !known(other).isEmpty()) {
                    names(other).forEach(name -> meant.add(other.setting.with(name)));
                }
            }
            if (meant.size() > 1) {
                mistakes.add(variable + " could mean each of " + meant
                        + ". Set the one that you mean in config/application.properties or as a system property.");
            }
            settings.put(variable, meant.iterator().next());
        });
        return settings;
    }

    private List<Reading> all(String variable) {
        List<Reading> readings = new ArrayList<>();
        for (SettingName setting : known) {
            setting.partInVariable(variable).ifPresent(part -> readings.add(new Reading(setting, part)));
        }
        return readings;
    }

    private void learn(SettingName setting, String name) {
        names.computeIfAbsent(key(setting, name), _ -> new TreeSet<>()).add(name);
    }

    private Set<String> known(Reading reading) {
        return names.getOrDefault(key(reading.setting, reading.part), Set.of());
    }

    private Set<String> names(Reading reading) {
        return reading.setting.hasOperatorPart() ? known(reading) : Set.of("");
    }

    private static String key(SettingName setting, String name) {
        return SettingName.variable(setting.head() + name);
    }

    private static String canonical(String part) {
        return part.toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** @param part the operator's name as the variable writes it */
    private record Reading(SettingName setting, String part) {}
}
