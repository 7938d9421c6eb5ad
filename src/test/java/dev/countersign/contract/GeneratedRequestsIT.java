package dev.countersign.contract;

import dev.countersign.support.ReadmeService;
import java.util.Set;
import org.junit.jupiter.api.extension.ExtendWith;

/** Fewer of them, against the package with the README's settings: only its own pages may call it. */
@ExtendWith(ReadmeService.class)
class GeneratedRequestsIT extends Fuzz {

    @Override
    int cases() {
        return 1_000;
    }

    @Override
    Set<Integer> anonymous() {
        return Set.of(403);
    }

    @Override
    String origin() {
        return "https://localhost";
    }
}
