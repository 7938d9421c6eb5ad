package dev.countersign.contract;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.support.Callers;
import dev.countersign.support.SignedRequest;
import io.swagger.v3.oas.models.parameters.Parameter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/** Requests as the contract wants them, for apps and tokens that exist and for such as don't. */
final class ValidRequests {

    /** The app that is there from beginning to end. */
    static final String APP = "demo";

    /** What changes an app may have these, or any other but {@link #APP}. */
    private static final List<String> CHANGING_APPS = List.of("fuzz0", "fuzz1", "fuzz2", "fuzz3");

    /** What a page may have given, of which the contract says no more than its characters. */
    private static final Arbitrary<String> CURSORS = Arbitraries.of("1demo", "1a", "1" + "z".repeat(64))
            .map(end -> Base64.getUrlEncoder().withoutPadding().encodeToString(end.getBytes(UTF_8)));

    private ValidRequests() {}

    /** One of those that make a token of {@link #APP}: for the caller itself, for another, and for nobody. */
    static ApiRequest create(Operation createToken, int which) {
        ApiRequest plain = live(request(createToken, createToken.segments(), "", List.of(), null, false), null);
        return switch (which % 3) {
            case 0 -> plain;
            case 1 -> plain.withBody("{\"subject\":\"somebody\",\"context\":{\"a\":\"b\"}}");
            default -> {
                ApiRequest signed = plain.withoutHeader("Authorization");
                for (var header :
                        SignedRequest.of("POST", plain.path(), "").headers().entrySet()) {
                    signed = signed.withHeader(header.getKey() + ": " + header.getValue());
                }
                yield signed;
            }
        };
    }

    /** One that redeems a token of {@link #APP}. */
    static ApiRequest redeem(Operation redeemToken) {
        return live(request(redeemToken, redeemToken.segments(), "", List.of(), null, false), null)
                .withBody("{\"challengeCode\":\"" + ApiRequest.LIVE_CODE + "\"}");
    }

    static Arbitrary<ApiRequest> of(Operation operation) {
        List<Arbitrary<String>> segments = operation.segments().stream()
                .map(name -> segment(operation, name))
                .toList();
        List<Arbitrary<String>> queries = operation.parametersIn("query").stream()
                .map(parameter -> optional(
                        parameter,
                        (parameter.getName().equals("nextToken") ? CURSORS : Values.validText(parameter.getSchema()))
                                .map(value -> parameter.getName() + "=" + value)))
                .toList();
        List<Arbitrary<String>> headers = operation.parametersIn("header").stream()
                .map(parameter -> optional(
                        parameter,
                        Values.validText(parameter.getSchema()).map(value -> parameter.getName() + ": " + value)))
                .toList();
        return Combinators.combine(
                        Combinators.combine(segments).as(List::copyOf),
                        Combinators.combine(queries).as(ValidRequests::query),
                        Combinators.combine(headers).as(ValidRequests::present),
                        body(operation),
                        Arbitraries.of(true, false))
                .as((path, query, more, body, live) -> request(operation, path, query, more, body, live));
    }

    private static ApiRequest request(
            Operation operation, List<String> path, String query, List<String> more, JsonNode body, boolean live) {
        List<String> headers = new ArrayList<>(List.of("Host: localhost"));
        if (operation.secured()) {
            headers.add("Authorization: " + Callers.bearer());
        }
        if (operation.hasBody()) {
            headers.add("Content-Type: application/json");
        }
        headers.addAll(more);
        ApiRequest request = new ApiRequest(
                operation, operation.method(), path, query, headers, null, false, List.of(), Set.of(), false);
        if (live && operation.segments().contains("challenge")) {
            return live(request, body);
        }
        return body == null ? request : request.withBody(body.toString());
    }

    private static ApiRequest live(ApiRequest request, JsonNode body) {
        List<String> segments = request.operation().segments().stream()
                .map(segment -> segment.equals("{appId}") ? APP : segment)
                .map(segment -> segment.equals("{sessionId}") ? ApiRequest.LIVE_SESSION : segment)
                .toList();
        ApiRequest live = new ApiRequest(
                request.operation(),
                request.method(),
                segments,
                request.query(),
                request.headers(),
                null,
                true,
                List.of(),
                Set.of(),
                false);
        if (!(body instanceof ObjectNode object)) {
            return live;
        }
        if (object.has("challengeCode")) {
            object.put("challengeCode", ApiRequest.LIVE_CODE).remove("codeVerifier");
        }
        return live.withBody(object.toString());
    }

    private static Arbitrary<String> segment(Operation operation, String name) {
        if (!name.startsWith("{")) {
            return Arbitraries.just(name);
        }
        Parameter parameter = operation.parametersIn("path").stream()
                .filter(one -> name.equals("{" + one.getName() + "}"))
                .findFirst()
                .orElseThrow();
        Arbitrary<String> any = Values.validText(parameter.getSchema());
        if (!name.equals("{appId}")) {
            return any;
        }
        Arbitrary<String> known = Arbitraries.of(CHANGING_APPS);
        return operation.listed().contains("PUT")
                ? Arbitraries.oneOf(known, any.filter(app -> !app.equals(APP) && !app.equals("other")))
                : Arbitraries.oneOf(Arbitraries.just(APP), known, any);
    }

    private static Arbitrary<String> optional(Parameter parameter, Arbitrary<String> value) {
        return Boolean.TRUE.equals(parameter.getRequired()) ? value : Arbitraries.oneOf(Arbitraries.just(""), value);
    }

    private static String query(List<String> parts) {
        List<String> present = present(parts);
        return present.isEmpty() ? "" : "?" + String.join("&", present);
    }

    private static List<String> present(List<String> parts) {
        return parts.stream().filter(part -> !part.isEmpty()).toList();
    }

    private static Arbitrary<JsonNode> body(Operation operation) {
        return operation.hasBody()
                ? Values.valid(operation.body()).map(body -> fitting(operation, body))
                : Arbitraries.just(null);
    }

    /** An app's tokens may live for as short as a second, and a token for no longer. */
    private static JsonNode fitting(Operation operation, JsonNode body) {
        return operation.id().equals("CreateToken") && body.has("ttlSeconds")
                ? ((ObjectNode) body).put("ttlSeconds", 1)
                : body;
    }
}
