package dev.countersign.http;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.config.MeterFilter;
import io.micrometer.core.instrument.distribution.DistributionStatisticConfig;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

/** Counts the API's requests in buckets of latency, so that a quantile can be computed over all replicas together. */
class LatencyBuckets {

    /**
     * The bounds on which an alert can be set. The last is the default time budget of a request. More than eight would
     * cost more series than they are worth.
     */
    private static final double[] NANOSECONDS = DoubleStream.of(5, 10, 25, 50, 100, 250, 500, 2000)
            .map(milliseconds -> Duration.ofMillis((long) milliseconds).toNanos())
            .toArray();

    @Produces
    @Singleton
    MeterFilter latencyBuckets() {
        return new MeterFilter() {
            @Override
            public DistributionStatisticConfig configure(Meter.Id id, DistributionStatisticConfig config) {
                return isRequestOfTheApi(id)
                        ? DistributionStatisticConfig.builder()
                                .serviceLevelObjectives(NANOSECONDS)
                                .build()
                                .merge(config)
                        : config;
            }
        };
    }

    private static boolean isRequestOfTheApi(Meter.Id id) {
        return id.getName().equals("http.server.requests")
                && Stream.ofNullable(id.getTag("uri")).anyMatch(uri -> uri.startsWith("/prod/"));
    }
}
