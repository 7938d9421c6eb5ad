package dev.countersign.http;

import io.micrometer.core.instrument.config.MeterFilter;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;

/** Adjusts the metrics that the HTTP server makes by itself. */
class ServerMetrics {

    /**
     * The server tags its metrics with its port unless that was chosen freely. Where the API's is and the management
     * interface's isn't, the two disagree on the tags, which Prometheus refuses, and the service would not start.
     */
    @Produces
    @Singleton
    MeterFilter withoutPort() {
        return MeterFilter.ignoreTags("server.port");
    }

    /** A path that is no operation's template is the caller's invention, and each would be a metric of its own. */
    @Produces
    @Singleton
    MeterFilter withoutUnknownPaths() {
        return MeterFilter.replaceTagValues(
                "uri", uri -> uri.startsWith("/") && !Contract.served().isTemplate(uri) ? "UNMATCHED" : uri);
    }

    /** So is a method that no path has. */
    @Produces
    @Singleton
    MeterFilter withoutUnknownMethods() {
        return MeterFilter.replaceTagValues(
                "method", method -> Contract.served().isKnown(method) ? method : "OTHER");
    }
}
