package dev.countersign.http;

import dev.countersign.api.AppsApi;
import dev.countersign.api.ChallengeApi;
import dev.countersign.api.RedeemApi;
import jakarta.ws.rs.HttpMethod;
import jakarta.ws.rs.Path;
import java.lang.annotation.Annotation;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.StringTokenizer;
import java.util.TreeSet;

/** Which methods the contract lists for a path, as the interfaces that are made of it have them. */
final class AllowedMethods {

    /** By the segments of the path. Static, so that a native image needs no reflection for it when it runs. */
    private static final Map<List<String>, NavigableSet<String>> LISTED =
            listed(AppsApi.class, ChallengeApi.class, RedeemApi.class);

    private AllowedMethods() {}

    /** Empty when the path is none of the contract's. */
    static Set<String> of(String path) {
        List<String> segments = segments(path);
        for (var listed : LISTED.entrySet()) {
            if (fits(listed.getKey(), segments)) {
                return listed.getValue();
            }
        }
        return Set.of();
    }

    /** Whether it is the path of an operation as the contract writes it, parameters in braces. */
    static boolean isTemplate(String path) {
        List<String> segments = segments(path);
        return LISTED.containsKey(segments) && path.equals("/" + String.join("/", segments));
    }

    /** Whether any path has it. */
    static boolean isKnown(String method) {
        for (var methods : LISTED.values()) {
            if (methods.contains(method)) {
                return true;
            }
        }
        return false;
    }

    private static boolean fits(List<String> template, List<String> segments) {
        if (template.size() != segments.size()) {
            return false;
        }
        for (int i = 0; i < segments.size(); i++) {
            if (!template.get(i).startsWith("{") && !template.get(i).equals(segments.get(i))) {
                return false;
            }
        }
        return true;
    }

    private static Map<List<String>, NavigableSet<String>> listed(Class<?>... apis) {
        Map<List<String>, NavigableSet<String>> listed = new HashMap<>();
        for (Class<?> api : apis) {
            for (Method operation : api.getMethods()) {
                listed.computeIfAbsent(segments(path(api) + "/" + path(operation)), _ -> new TreeSet<>())
                        .addAll(methods(operation));
            }
        }
        return listed;
    }

    private static String path(AnnotatedElement element) {
        Path path = element.getAnnotation(Path.class);
        return path == null ? "" : path.value();
    }

    /** HEAD is answered where GET is. */
    private static Set<String> methods(Method operation) {
        for (Annotation annotation : operation.getAnnotations()) {
            HttpMethod method = annotation.annotationType().getAnnotation(HttpMethod.class);
            if (method != null) {
                return method.value().equals(HttpMethod.GET)
                        ? Set.of(HttpMethod.GET, HttpMethod.HEAD)
                        : Set.of(method.value());
            }
        }
        return Set.of();
    }

    private static List<String> segments(String path) {
        List<String> segments = new ArrayList<>();
        for (var parts = new StringTokenizer(path, "/"); parts.hasMoreTokens(); ) {
            segments.add(parts.nextToken());
        }
        return segments;
    }
}
