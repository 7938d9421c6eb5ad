package dev.countersign.http;

import io.vertx.core.Handler;
import io.vertx.ext.web.RoutingContext;

/** Refuses callers whose credentials were refused too often, before their request costs any work. */
public interface CallerLimit extends Handler<RoutingContext> {}
