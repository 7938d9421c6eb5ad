/** Makes {@code quarkus:dev} work on a machine with only a JDK. Nothing here runs in production. */
@NullMarked
package dev.countersign.development;

import org.jspecify.annotations.NullMarked;
