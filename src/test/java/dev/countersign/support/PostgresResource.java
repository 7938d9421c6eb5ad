package dev.countersign.support;

import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.util.HashMap;
import java.util.Map;

/** The database of the tests that run the service by Quarkus's own test support, in the JVM or packaged. */
public class PostgresResource implements QuarkusTestResourceLifecycleManager {

    private PostgresServer server;

    @Override
    public Map<String, String> start() {
        server = PostgresServer.start();
        // The tests themselves live in another class loader, and read it there.
        System.setProperty(TestDatabase.URL, server.jdbcUrl());
        System.setProperty(TestDatabase.DATA, server.dataDirectory().toString());
        Map<String, String> settings = new HashMap<>(server.settings());
        settings.putAll(ServiceProcess.PATIENT);
        settings.put("quarkus.http.cors.origins", "https://console.example.com");
        // For the packaged service, which doesn't know that it is tested: a free port, and a key.
        settings.put("quarkus.management.port", "0");
        settings.put("countersign.challenge.keys.test", "dGhpcnR5LXR3byByYW5kb20gYnl0ZXMgZm9yIHRoZSB0ZXN0cyE=");
        settings.put("countersign.challenge.active-key", "test");
        return settings;
    }

    @Override
    public void stop() {
        server.close();
    }
}
