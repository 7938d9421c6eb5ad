package dev.countersign.nativeimage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceProcess;
import dev.countersign.support.SignedRequest;
import dev.countersign.support.TokenIssuer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The package goes through its operations, its refusals, a database fault and its scheduled jobs, and every look-up by name
 * that succeeds is written down. A native image finds the same only if a native build registers it.
 */
class LookUpsIT {

    private static final Logger LOG = Logger.getLogger(LookUpsIT.class);

    private static final String SEEN = "The binary built from 31ffb63 was seen to do without: ";

    /** By the class that looks something up: why what it finds on the JVM need not be registered. */
    private static final Map<String, String> EXCEPTIONS = Map.ofEntries(
            Map.entry("io.quarkus.bootstrap.runner", "The launcher of the JVM's package. An image has none."),
            Map.entry(
                    "io.quarkus.runtime.init.InitializeClassPreInitRunnable",
                    "It initializes a class ahead of its first use, and goes on if there is none of that name."),
            Map.entry("io.smallrye.config.ConfigMappingInterface", "Quarkus replaces it in an image."),
            Map.entry("io.netty.channel.ChannelHandlerMask$2", "Quarkus replaces its caller in an image."),
            Map.entry("org.postgresql.Driver", "Quarkus replaces this method in an image."),
            Map.entry("com.arjuna.common.util.propertyservice.FileLocator", "Quarkus replaces its caller in an image."),
            Map.entry(
                    "com.arjuna.common.internal.util.propertyservice.BeanPopulator",
                    SEEN + "Quarkus sets these properties while it builds the image."),
            Map.entry(
                    "io.netty.util.internal.ReferenceCountUpdater",
                    SEEN + "GraalVM sees the names of the fields whose offsets are asked for."),
            Map.entry(
                    "io.netty.util.internal.PlatformDependent0$3",
                    "It asks for Unsafe.storeFence. Without it, Netty makes the write in question a volatile one."),
            Map.entry(
                    "com.fasterxml.jackson.databind.util.ClassUtil",
                    "It asks interfaces too, none of which has a property."),
            Map.entry(
                    "com.fasterxml.jackson.databind.introspect.AnnotatedFieldCollector",
                    "It looks for annotations in the JDK's collections, which have none."),
            Map.entry(
                    "org.hibernate.internal.util.ReflectHelper",
                    SEEN + "It asks java.lang.Record for a setter, and our key, whose constructor is registered."),
            Map.entry(
                    "org.hibernate.service.internal.AbstractServiceRegistryImpl",
                    SEEN + "It looks for injection points, which Quarkus' services don't have."),
            Map.entry(
                    "org.hibernate.boot.registry.selector.internal.StrategySelectorImpl",
                    SEEN + "GraalVM finds the constructor of the class that is named."),
            Map.entry(
                    "org.hibernate.persister.internal.PersisterFactoryImpl",
                    SEEN + "GraalVM finds the constructor of the class that is named."),
            Map.entry(
                    "io.quarkus.virtual.threads.VirtualThreadsRecorder",
                    SEEN + "It names the methods of Thread.Builder in its code."),
            Map.entry(
                    "io.quarkus.runtime.configuration.AbstractConfigBuilder",
                    SEEN + "Quarkus' generated configuration names these types."),
            Map.entry(
                    "io.smallrye.common.classloader.ClassPathUtils",
                    "application.properties is read while the image is built."),
            Map.entry(
                    "io.smallrye.config.AbstractLocationConfigSourceLoader",
                    "application.properties is read while the image is built."),
            Map.entry(
                    "io.vertx.core.file.impl.FileResolverImpl",
                    "It asks for directories. The files in them are registered: migrationsAndTheUserInterfaceAreResources"));

    private static PostgresServer database;
    private static List<LookUp> lookUps;

    @BeforeAll
    static void useTheService() throws Exception {
        assumeTrue(ServiceProcess.isJvm(), "A native binary takes no agent");
        database = PostgresServer.start();
        Path directory = Files.createDirectories(Path.of("target", "look-ups").toAbsolutePath());
        Path file = directory.resolve("look-ups.tsv");
        Files.deleteIfExists(file);
        try (TokenIssuer issuer = TokenIssuer.start()) {
            ServiceProcess service = ServiceProcess.startBy(
                    List.of("env", "JDK_JAVA_OPTIONS=" + LookUpAgent.option(directory, file)),
                    database,
                    settings(issuer));
            try (service) {
                use(service, issuer);
            }
        }
        lookUps = Files.readAllLines(file).stream().map(LookUp::of).toList();
    }

    @AfterAll
    static void stop() {
        if (database != null) {
            database.close();
        }
    }

    /** All that an operator can switch on. */
    private static Map<String, String> settings(TokenIssuer issuer) {
        Map<String, String> settings = new HashMap<>();
        settings.put("countersign.purge.every", "PT1S");
        settings.put("countersign.request-timeout", "PT5S");
        settings.put("quarkus.datasource.jdbc.acquisition-timeout", "PT1S");
        settings.put("countersign.limit.create-token-per-minute", "1000");
        settings.put("countersign.limit.read-per-minute", "1000");
        settings.put("countersign.limit.redeem-per-minute", "120");
        settings.put("quarkus.oidc.auth-server-url", issuer.url());
        settings.put("quarkus.oidc.token.audience", TokenIssuer.AUDIENCE);
        settings.put("countersign.principals.bearer.subject", "bearer");
        settings.put("countersign.principals.bearer.apps", "demo");
        settings.put("countersign.principals.bearer.permissions", "issue");
        settings.put("quarkus.http.cors.origins", "https://console.example.com");
        settings.put("quarkus.otel.sdk.disabled", "false");
        settings.put("quarkus.otel.exporter.otlp.endpoint", "http://localhost:1");
        return settings;
    }

    private static void use(ServiceProcess service, TokenIssuer issuer) throws Exception {
        String authority = service.baseUri().getAuthority();
        try (ServiceClient client = new ServiceClient(
                service.baseUri(),
                (method, path, body) ->
                        SignedRequest.to(authority, method, path, body).headers())) {
            assertThat(client.registerApp("demo").status()).isEqualTo(201);
            Token token = Token.of(client.create("demo"));
            assertThat(client.read("demo", token.session()).status()).isEqualTo(200);
            assertThat(client.redeem("demo", token.session(), "wrong", "key").status())
                    .isEqualTo(404);
            assertThat(client.redeem("demo", token.session(), token.code(), "key")
                            .status())
                    .isEqualTo(200);
            assertThat(client.redeem("demo", token.session(), token.code(), "key")
                            .status())
                    .isEqualTo(200);
            assertThat(client.remove("demo", Token.of(client.create("demo")).session())
                            .status())
                    .isEqualTo(200);
            assertThat(client.create("unknown").status()).isEqualTo(404);
            for (int i = 0; client.redeem("demo", token.session(), "wrong").status() != 429; i++) {
                assertThat(i).isLessThan(100);
            }
            refusals(service, authority);
            String bearer = "Bearer " + issuer.issue(TokenIssuer.claims("bearer"));
            assertThat(status(service, "POST", "/prod/backend/demo/challenge", "", Map.of("Authorization", bearer)))
                    .isEqualTo(200);
            assertThat(status(
                            service, "POST", "/prod/backend/demo/challenge", "", Map.of("Authorization", bearer + "x")))
                    .isEqualTo(401);
            for (String page : List.of("/q/swagger-ui/", "/q/openapi", "/q/openapi?format=json")) {
                assertThat(status(service, "GET", page, "", Map.of())).isEqualTo(200);
            }
            assertThat(service.metrics()).contains("http_server_requests");
            assertThat(service.probe("/q/health")).isEqualTo(200);
            assertThat(client.deleteApp("demo").status()).isEqualTo(204);
            database.stopImmediately();
            assertThat(client.create("demo").status()).isEqualTo(504);
            assertThat(client.deleteApp("demo").status()).isEqualTo(504);
            assertThat(service.probe("/q/health/ready")).isEqualTo(503);
        }
    }

    private static void refusals(ServiceProcess service, String authority) throws Exception {
        String app = "/prod/apps/demo";
        for (String body : List.of("{", "{}", "{\"ttlSeconds\":0}", "{\"ttlSeconds\":\"1\"}", "[]")) {
            Map<String, String> signed =
                    new HashMap<>(SignedRequest.to(authority, "PUT", app, body).headers());
            signed.put("Content-Type", "application/json");
            assertThat(status(service, "PUT", app, body, signed)).isIn(200, 400);
        }
        String list = "/prod/apps?limit=10";
        assertThat(status(
                        service,
                        "GET",
                        list,
                        "",
                        SignedRequest.to(authority, "GET", list, "").headers()))
                .isEqualTo(200);
        String badList = "/prod/apps?limit=x";
        assertThat(status(
                        service,
                        "GET",
                        badList,
                        "",
                        SignedRequest.to(authority, "GET", badList, "").headers()))
                .isEqualTo(400);
        assertThat(status(service, "PATCH", app, "", Map.of())).isEqualTo(405);
        assertThat(status(service, "GET", "/nowhere", "", Map.of())).isEqualTo(404);
        assertThat(status(service, "POST", "/prod/backend/demo/challenge", "", Map.of()))
                .isEqualTo(403);
        assertThat(status(
                        service,
                        "OPTIONS",
                        "/prod/backend/demo/challenge",
                        "",
                        Map.of("Origin", "https://console.example.com", "Access-Control-Request-Method", "POST")))
                .isEqualTo(200);
    }

    private static int status(
            ServiceProcess service, String method, String path, String body, Map<String, String> headers)
            throws IOException, InterruptedException {
        URI uri = service.baseUri().resolve(path);
        HttpRequest.Builder request = HttpRequest.newBuilder(uri).method(method, BodyPublishers.ofString(body));
        headers.forEach((name, value) -> {
            if (!name.equalsIgnoreCase("Host")) {
                request.header(name, value);
            }
        });
        try (HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
            return client.send(request.build(), BodyHandlers.ofString()).statusCode();
        }
    }

    @Test
    void whatIsLookedUpIsRegistered() {
        NativeSources sources = NativeSources.written();
        List<LookUp> made = lookUps.stream().filter(sources::isMadeByTheImage).toList();
        Map<String, List<LookUp>> open = new TreeMap<>();
        Map<String, Integer> excepted = new TreeMap<>();
        for (LookUp lookUp : made) {
            if (!sources.isRegistered(lookUp)) {
                EXCEPTIONS.keySet().stream()
                        .filter(lookUp.caller()::startsWith)
                        .findAny()
                        .ifPresentOrElse(
                                exception -> excepted.merge(exception, 1, Integer::sum),
                                () -> open.computeIfAbsent(lookUp.caller(), _ -> new ArrayList<>())
                                        .add(lookUp));
            }
        }
        LOG.infof(
                "%d look-ups, %d of them when the image runs, %d not registered and excepted: %s",
                lookUps.size(),
                made.size(),
                excepted.values().stream().mapToInt(Integer::intValue).sum(),
                excepted);
        assertThat(made.stream().map(LookUp::kind).collect(Collectors.toSet()))
                .contains("type", "method", "resource", "service");
        assertThat(open).isEmpty();
    }

    /** One that Caffeine makes for a cache with a size and a time. */
    @Test
    void whatIsMissingIsFound() {
        NativeSources sources = NativeSources.written();
        LookUp missing = new LookUp("type", "org.example.PSAMS", "org.example.NodeFactory#newFactory", List.of());
        assertThat(sources.isMadeByTheImage(missing)).isTrue();
        assertThat(sources.isRegistered(missing)).isFalse();
        JsonNode model = sources.reflection("dev.countersign.api.model.CreateTokenRespObj");
        assertThat(model.isMissingNode()).isFalse();
    }
}
