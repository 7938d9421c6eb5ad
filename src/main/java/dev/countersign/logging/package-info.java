/**
 * Writes the log without making requests wait for it. Requests pass their records to {@link LogQueue}, whose thread
 * writes them. When nobody reads the log, requests are refused in time.
 */
@NullMarked
package dev.countersign.logging;

import org.jspecify.annotations.NullMarked;
