package dev.countersign.contract;

import dev.countersign.support.ReadmeService;
import org.junit.jupiter.api.extension.ExtendWith;

/** The same, against the package with the README's settings. */
@ExtendWith(ReadmeService.class)
class OddRequestsIT extends OddRequests {}
