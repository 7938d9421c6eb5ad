package dev.countersign.http;

import io.vertx.ext.web.Router;
import jakarta.enterprise.event.Observes;
import java.util.List;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** Where the API's documentation is switched off: its paths are like any that nobody has. Quarkus' own reply has no body. */
class ApiDocs {

    private final boolean enabled;

    ApiDocs(@ConfigProperty(name = "countersign.api-docs.enabled", defaultValue = "true") boolean enabled) {
        this.enabled = enabled;
    }

    void register(@Observes Router router) {
        if (!enabled) {
            for (String path : List.of("/q/swagger-ui*", "/q/openapi*")) {
                // Before the routes, and after the filters.
                router.route(path).order(-1).handler(request -> request.fail(404));
            }
        }
    }
}
