/** What makes {@code quarkus:dev} work on a machine with a JDK alone. Nothing here runs in production. */
@NullMarked
package dev.countersign.development;

import org.jspecify.annotations.NullMarked;
