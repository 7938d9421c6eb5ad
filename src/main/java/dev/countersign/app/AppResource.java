package dev.countersign.app;

import dev.countersign.access.Principal;
import dev.countersign.api.AppsApi;
import dev.countersign.api.model.AppRespObj;
import dev.countersign.api.model.ListAppsRespObj;
import dev.countersign.api.model.PutAppReqObj;
import dev.countersign.error.UnicodeText;
import io.quarkus.security.PermissionsAllowed;
import io.quarkus.security.identity.SecurityIdentity;
import jakarta.annotation.security.PermitAll;
import java.time.ZoneOffset;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Implements the contract's operations on apps. */
class AppResource implements AppsApi {

    private final AppService service;
    private final SecurityIdentity identity;
    private final CreatedStatus status;
    private final AppDefaults defaults;

    AppResource(AppService service, SecurityIdentity identity, CreatedStatus status, AppDefaults defaults) {
        this.service = service;
        this.identity = identity;
        this.status = status;
        this.defaults = defaults;
    }

    @Override
    @PermissionsAllowed("admin")
    public CompletionStage<AppRespObj> putApp(String appId, PutAppReqObj body) {
        if (body.getDisplayName() != null) {
            UnicodeText.require("displayName", body.getDisplayName());
        }
        return service.put(
                        principal().getName(),
                        appId,
                        body.getDisplayName(),
                        body.getTtlSeconds(),
                        body.getCreateTokenPerMinute())
                .thenApply(put -> {
                    if (put.created()) {
                        status.created();
                    }
                    return reply(put.app());
                });
    }

    @Override
    @PermissionsAllowed("admin")
    public CompletionStage<AppRespObj> getApp(String appId) {
        return service.get(principal().getName(), appId).thenApply(this::reply);
    }

    @Override
    @PermissionsAllowed("admin")
    public CompletionStage<Void> deleteApp(String appId) {
        return service.delete(principal().getName(), appId);
    }

    @Override
    @PermissionsAllowed("list")
    public CompletionStage<ListAppsRespObj> listApps(Integer limit, @Nullable String nextToken) {
        // One app more than requested shows whether there is a next page.
        return service.list(principal(), nextToken == null ? "" : PageCursor.appId(nextToken), limit + 1)
                .thenApply(found -> page(found, limit));
    }

    @Override
    @PermitAll
    public CompletionStage<Void> listAppsOptions() {
        // The CORS filter has set the headers; there is nothing to add.
        return CompletableFuture.completedStage(null);
    }

    @Override
    @PermitAll
    public CompletionStage<Void> appOptions(String appId) {
        // As above.
        return CompletableFuture.completedStage(null);
    }

    /** The caller. An operation that requires a permission has a configured principal. */
    private Principal principal() {
        return (Principal) identity.getPrincipal();
    }

    private ListAppsRespObj page(List<App> found, int limit) {
        List<App> page = found.subList(0, Math.min(limit, found.size()));
        ListAppsRespObj reply = new ListAppsRespObj();
        reply.setApps(page.stream().map(this::reply).toList());
        if (found.size() > limit) {
            reply.setNextToken(PageCursor.after(page.getLast().appId));
        }
        return reply;
    }

    private AppRespObj reply(App app) {
        AppRespObj reply = new AppRespObj();
        reply.setAppId(app.appId);
        reply.setDisplayName(app.displayName);
        reply.setTtlSeconds(app.ttlSeconds);
        reply.setCreateTokenPerMinute(app.createTokenPerMinute);
        reply.setEffectiveTtlSeconds(defaults.ttlSeconds(app));
        reply.setEffectiveCreateTokenPerMinute(defaults.createTokenPerMinute(app));
        reply.setCreatedAt(app.createdAt.atOffset(ZoneOffset.UTC));
        return reply;
    }
}
