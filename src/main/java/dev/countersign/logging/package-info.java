/**
 * How the log is written. Requests only hand their records over to {@link LogQueue}, whose thread writes them. When the log
 * isn't read, requests are refused in time, and none waits for it.
 */
@NullMarked
package dev.countersign.logging;

import org.jspecify.annotations.NullMarked;
