package dev.countersign.app;

import dev.countersign.access.Principal;
import dev.countersign.api.AppsApi;
import dev.countersign.api.model.AppRespObj;
import dev.countersign.api.model.ListAppsRespObj;
import dev.countersign.api.model.PutAppReqObj;
import io.quarkus.security.PermissionsAllowed;
import io.quarkus.security.identity.SecurityIdentity;
import io.smallrye.common.annotation.RunOnVirtualThread;
import jakarta.annotation.security.PermitAll;
import java.time.ZoneOffset;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The registry's operations of the contract. */
@RunOnVirtualThread
class AppResource implements AppsApi {

    private final AppService service;
    private final SecurityIdentity identity;
    private final CreatedStatus status;

    AppResource(AppService service, SecurityIdentity identity, CreatedStatus status) {
        this.service = service;
        this.identity = identity;
        this.status = status;
    }

    @Override
    @PermissionsAllowed("admin")
    public AppRespObj putApp(String appId, PutAppReqObj body) {
        AppService.Put put =
                service.put(appId, body.getDisplayName(), body.getTtlSeconds(), body.getCreateTokenPerMinute());
        if (put.created()) {
            status.created();
        }
        return reply(put.app());
    }

    @Override
    @PermissionsAllowed("admin")
    public AppRespObj getApp(String appId) {
        return reply(service.get(appId));
    }

    @Override
    @PermissionsAllowed("admin")
    public void deleteApp(String appId) {
        service.delete(appId);
    }

    @Override
    @PermissionsAllowed("list")
    public ListAppsRespObj listApps(Integer limit, @Nullable String nextToken) {
        // One more than asked for tells whether there is a next page.
        List<App> found =
                service.list((Principal) identity.getPrincipal(), nextToken == null ? "" : nextToken, limit + 1);
        List<App> page = found.subList(0, Math.min(limit, found.size()));
        ListAppsRespObj reply = new ListAppsRespObj();
        reply.setApps(page.stream().map(AppResource::reply).toList());
        if (found.size() > limit) {
            reply.setNextToken(page.getLast().appId);
        }
        return reply;
    }

    @Override
    @PermitAll
    public void listAppsOptions() {
        // The CORS filter has set the headers; there is nothing to add.
    }

    @Override
    @PermitAll
    public void appOptions(String appId) {
        // As above.
    }

    private static AppRespObj reply(App app) {
        AppRespObj reply = new AppRespObj();
        reply.setAppId(app.appId);
        reply.setDisplayName(app.displayName);
        reply.setTtlSeconds(app.ttlSeconds);
        reply.setCreateTokenPerMinute(app.createTokenPerMinute);
        reply.setCreatedAt(app.createdAt.atOffset(ZoneOffset.UTC));
        return reply;
    }
}
