package dev.countersign.contract;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.support.Callers;
import io.swagger.v3.oas.models.parameters.Parameter;
import java.util.ArrayList;
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

    private ValidRequests() {}

    /** One that makes a token of {@link #APP}. */
    static ApiRequest create(Operation createToken) {
        return live(request(createToken, createToken.segments(), "", List.of(), null, false), null);
    }

    static Arbitrary<ApiRequest> of(Operation operation) {
        List<Arbitrary<String>> segments = operation.segments().stream()
                .map(name -> segment(operation, name))
                .toList();
        List<Arbitrary<String>> queries = operation.parametersIn("query").stream()
                .map(parameter -> optional(
                        parameter,
                        Values.validText(parameter.getSchema()).map(value -> parameter.getName() + "=" + value)))
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
        return body instanceof ObjectNode object
                ? live.withBody(
                        object.put("challengeCode", ApiRequest.LIVE_CODE).toString())
                : live;
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
        return operation.hasBody() ? Values.valid(operation.body()) : Arbitraries.just(null);
    }
}
