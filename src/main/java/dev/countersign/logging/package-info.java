/**
 * Writes the log without making requests wait for it. Requests pass their records to {@link LogQueue}, whose thread
 * writes them. When too many records wait, requests get 504 at once instead of hanging.
 */
@NullMarked
package dev.countersign.logging;

import org.jspecify.annotations.NullMarked;
