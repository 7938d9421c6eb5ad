package dev.countersign.http;

import static dev.countersign.support.Contract.call;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.countersign.support.RawHttp;
import dev.countersign.support.ServiceTest;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.io.IOException;
import java.util.Collection;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** A caller can't make metrics: what it makes up is no tag of the requests' timers, which are kept for ever. */
@QuarkusTest
class ServerMetricsTest extends ServiceTest {

    private static final Set<String> KNOWN_METHODS = Set.of("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "OTHER");

    @Inject
    MeterRegistry metrics;

    @Test
    void methodThatIsMadeUpIsNoTag() throws IOException {
        long before = timed();
        RawHttp.send("MADEUP", "/prod/apps");
        RawHttp.send("MADEUP2", "/nope");
        call().get("/prod/apps").then().statusCode(200);
        await().until(() -> timed() == before + 3);
        assertThat(tags("method")).contains("OTHER", "GET").isSubsetOf(KNOWN_METHODS);
    }

    @Test
    void pathThatIsMadeUpIsNoTag() throws IOException {
        long before = timed();
        RawHttp.send("POST", "/prod/backend/{madeup}/challenge");
        RawHttp.send("GET", "/prod/backend/{madeup}/challenge");
        RawHttp.send("GET", "//prod//apps//{appId}?;");
        RawHttp.send("MADEUP", "{madeup}");
        RawHttp.send("GET", "/%zz{madeup}");
        call().get("/prod/apps/demo").then().statusCode(200);
        await().until(() -> timed() == before + 6);
        assertThat(tags("uri"))
                .contains("UNMATCHED", "/prod/apps/{appId}")
                .noneMatch(uri -> uri.contains("madeup") || uri.contains("//"));
    }

    private long timed() {
        return timers().stream().mapToLong(Timer::count).sum();
    }

    private Set<String> tags(String name) {
        return timers().stream()
                .map(timer -> String.valueOf(timer.getId().getTag(name)))
                .collect(Collectors.toSet());
    }

    private Collection<Timer> timers() {
        return metrics.find("http.server.requests").timers();
    }
}
