package dev.countersign.http;

import dev.countersign.support.ReadmeService;
import org.junit.jupiter.api.extension.ExtendWith;

/** The package with the README's settings, which allow no other origin. */
@ExtendWith(ReadmeService.class)
class ForeignOriginsIT extends ForeignOrigins {}
