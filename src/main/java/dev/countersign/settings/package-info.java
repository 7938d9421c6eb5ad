/**
 * Makes a setting do what its operator meant, or stops the start.
 *
 * <p>Quarkus ignores a setting that nothing reads, and it expands {@code $} in a secret. From the environment, it finds
 * a principal named {@code ci-runner} only if the variable has two underscores on each side of the name.
 *
 * <p>{@link StrictSettings} runs while the configuration is built, before anything is read from it. It finds the
 * setting that each {@code COUNTERSIGN_*} variable means, refuses settings that nothing reads, and takes secrets
 * literally. It learns the existing settings from the mappings of the other packages. {@link SettingName} is the name
 * of one setting, and {@link EnvironmentNames} reads variables.
 *
 * <p>{@link IssuerDefaults} gives each issuer of tokens the settings that Quarkus applies only to an unnamed one.
 */
@NullMarked
package dev.countersign.settings;

import org.jspecify.annotations.NullMarked;
