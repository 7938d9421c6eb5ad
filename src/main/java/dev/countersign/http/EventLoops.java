package dev.countersign.http;

import io.quarkus.vertx.VertxOptionsCustomizer;
import io.vertx.core.VertxOptions;
import jakarta.inject.Singleton;

/**
 * As many event loops as processors: they only compute, and the default, twice as many, makes them take turns.
 */
@Singleton
class EventLoops implements VertxOptionsCustomizer {

    @Override
    public void accept(VertxOptions options) {
        options.setEventLoopPoolSize(Math.max(2, Runtime.getRuntime().availableProcessors()));
    }
}
