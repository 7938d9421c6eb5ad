/**
 * Sees to it that a setting does what its operator meant, or stops the start.
 *
 * <p>Quarkus ignores a setting that nothing reads, reads a name with {@code _} or {@code -} from the environment only in a
 * notation of its own, and expands {@code $} in a secret. {@link StrictSettings} runs while the configuration is built,
 * before anything is read from it: it finds the setting that each {@code COUNTERSIGN_*} variable means, refuses what
 * nothing reads, and takes secrets literally. {@link SettingName} is the name of one setting, {@link EnvironmentNames}
 * reads variables. What settings there are, it takes from the mappings of the other packages. {@link IssuerDefaults} gives
 * each issuer of tokens the settings that Quarkus applies to an unnamed one only.
 */
@NullMarked
package dev.countersign.settings;

import org.jspecify.annotations.NullMarked;
