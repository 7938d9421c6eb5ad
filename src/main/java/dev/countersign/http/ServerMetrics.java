package dev.countersign.http;

import io.micrometer.core.instrument.config.MeterFilter;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;

/** Adjusts the HTTP server's own metrics. */
class ServerMetrics {

    /**
     * Removes the port from metrics. The server adds it unless the port was chosen freely. If only the API's port was,
     * and not the management interface's, their metrics have different tags; Prometheus refuses that, and the service
     * would not start.
     */
    @Produces
    @Singleton
    MeterFilter withoutPort() {
        return MeterFilter.ignoreTags("server.port");
    }

    /**
     * Replaces paths that are not a template of the contract: callers can make up any number, and each would be a
     * metric of its own.
     */
    @Produces
    @Singleton
    MeterFilter withoutUnknownPaths() {
        return MeterFilter.replaceTagValues(
                "uri", uri -> uri.startsWith("/") && !Contract.served().isTemplate(uri) ? "UNMATCHED" : uri);
    }

    /** Replaces methods that no path has, for the same reason. */
    @Produces
    @Singleton
    MeterFilter withoutUnknownMethods() {
        return MeterFilter.replaceTagValues(
                "method", method -> Contract.served().isKnown(method) ? method : "OTHER");
    }
}
