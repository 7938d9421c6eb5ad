package dev.countersign.http;

import io.vertx.core.Handler;
import io.vertx.ext.web.RoutingContext;

/** Refuses callers who were refused too often, before their next request costs more than a look. */
public interface CallerLimit extends Handler<RoutingContext> {}
