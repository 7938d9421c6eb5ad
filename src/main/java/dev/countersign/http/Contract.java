package dev.countersign.http;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.NavigableSet;
import java.util.Objects;
import java.util.Set;
import java.util.StringTokenizer;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The paths and methods of the API, from the contract as the service serves it. */
final class Contract {

    /** The document that the build makes of openapi.yaml, for {@code /q/openapi}. */
    private static final String DOCUMENT = "META-INF/quarkus-generated-openapi-doc.JSON";

    private static final Set<String> METHODS =
            Set.of("get", "put", "post", "delete", "options", "head", "patch", "trace");

    private final List<Route> routes;

    Contract(JsonNode document) {
        routes = document.path("paths").properties().stream()
                .map(path -> Route.of(path.getKey(), path.getValue()))
                .toList();
    }

    /** Returns the contract that the service serves. */
    static Contract served() {
        return Served.CONTRACT;
    }

    /** The methods of a path, including HEAD where there is GET; empty when the contract has no such path. */
    Set<String> methods(String path) {
        Route route = route(path);
        return route == null ? Set.of() : route.methods;
    }

    /** Whether the operation takes a request body. */
    boolean takesBody(String method, String path) {
        Route route = route(path);
        return route != null && route.withBody.contains(method);
    }

    /** Whether the path is a template of the contract, with parameters in braces. */
    boolean isTemplate(String path) {
        return routes.stream().anyMatch(route -> route.template.equals(path));
    }

    /** Whether any path has the method. */
    boolean isKnown(String method) {
        return routes.stream().anyMatch(route -> route.methods.contains(method));
    }

    private @Nullable Route route(String path) {
        List<String> segments = segments(path);
        for (Route route : routes) {
            if (route.fits(segments)) {
                return route;
            }
        }
        return null;
    }

    private static JsonNode document() {
        try (InputStream document =
                Objects.requireNonNull(Contract.class.getClassLoader().getResourceAsStream(DOCUMENT), DOCUMENT)) {
            return new ObjectMapper().readTree(document);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> segments(String path) {
        List<String> segments = new ArrayList<>();
        for (var parts = new StringTokenizer(path, "/"); parts.hasMoreTokens(); ) {
            segments.add(parts.nextToken());
        }
        return segments;
    }

    private record Route(String template, List<String> segments, NavigableSet<String> methods, Set<String> withBody) {

        static Route of(String template, JsonNode operations) {
            Route route = new Route(template, Contract.segments(template), new TreeSet<>(), new TreeSet<>());
            operations.properties().stream()
                    .filter(operation -> METHODS.contains(operation.getKey()))
                    .forEach(operation -> route.add(operation.getKey().toUpperCase(Locale.ROOT), operation.getValue()));
            return route;
        }

        private void add(String method, JsonNode operation) {
            methods.add(method);
            if (method.equals("GET")) {
                methods.add("HEAD");
            }
            if (operation.has("requestBody")) {
                withBody.add(method);
            }
        }

        boolean fits(List<String> path) {
            if (path.size() != segments.size()) {
                return false;
            }
            for (int i = 0; i < segments.size(); i++) {
                if (!segments.get(i).startsWith("{") && !segments.get(i).equals(path.get(i))) {
                    return false;
                }
            }
            return true;
        }
    }

    /** Reads the contract once: when the class is initialized, which a native image does at build time. */
    private static final class Served {
        static final Contract CONTRACT = new Contract(document());
    }
}
