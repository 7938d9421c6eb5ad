/**
 * The registry of apps.
 *
 * <p>{@link AppResource} implements the contract's operations, {@link AppService} does the work, and {@link App} is the
 * row. {@link ConfiguredApps} registers the apps of {@link AppsConfig} at start.
 *
 * <p>The statements on tokens join the table of apps. So a registration, change or deletion takes effect at once on
 * every replica. Only a changed rate takes a second, because the limits read all rates in the background
 * ({@link AppRates}).
 *
 * <p>Each registration has its own generation, and a token belongs to one. When an app is deleted, its tokens end with
 * it. An app that takes the same ID later doesn't inherit them.
 */
@NullMarked
package dev.countersign.app;

import org.jspecify.annotations.NullMarked;
