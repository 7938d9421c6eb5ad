package dev.countersign.http;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.distribution.DistributionStatisticConfig;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;

/** Adjusts the HTTP server's own metrics. */
class ServerMetrics {

    /**
     * The bounds in nanoseconds on which an alert can be set. The last is the default time budget of a request. More
     * than eight would cost more series than they are worth.
     */
    private static final double[] LATENCIES = {5e6, 10e6, 25e6, 50e6, 100e6, 250e6, 500e6, 2e9};

    /**
     * Removes the port from metrics. The server adds it unless the port is random (0). If only one of the two ports
     * (the API's and the management interface's) is random, the metrics have different tags; Prometheus refuses that,
     * and the service would not start.
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

    /**
     * Counts the API's requests in buckets of latency, so that a quantile can be computed over all replicas together.
     */
    @Produces
    @Singleton
    MeterFilter latencyBuckets() {
        return new MeterFilter() {
            @Override
            public DistributionStatisticConfig configure(Meter.Id id, DistributionStatisticConfig config) {
                return isRequestOfTheApi(id)
                        ? DistributionStatisticConfig.builder()
                                .serviceLevelObjectives(LATENCIES)
                                .build()
                                .merge(config)
                        : config;
            }
        };
    }

    private static boolean isRequestOfTheApi(Meter.Id id) {
        return id.getName().equals("http.server.requests")
                && String.valueOf(id.getTag("uri")).startsWith("/prod/");
    }
}
