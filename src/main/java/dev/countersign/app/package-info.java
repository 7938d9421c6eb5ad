/**
 * The registry of apps: which there are, and what is particular to each.
 *
 * <p>{@link AppResource} implements the contract's operations, {@link AppService} does them, {@link App} is the row. The
 * statements of a token's life join the table as it is now, so that what is registered, changed or deleted here holds at
 * once on every replica; only a changed rate takes a second, as the limits read all rates in the background ({@link
 * AppRates}). Each registration has a generation of its own, and a token belongs to one: when an app is deleted its tokens
 * end with it, and an app that takes its ID later doesn't inherit them. {@link ConfiguredApps} registers those of {@link
 * AppsConfig} at start.
 */
@NullMarked
package dev.countersign.app;

import org.jspecify.annotations.NullMarked;
