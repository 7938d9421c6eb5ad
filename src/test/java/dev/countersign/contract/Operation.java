package dev.countersign.contract;

import dev.countersign.support.Contract;
import io.swagger.v3.oas.models.OpenAPI;
import io.swagger.v3.oas.models.PathItem;
import io.swagger.v3.oas.models.headers.Header;
import io.swagger.v3.oas.models.media.Schema;
import io.swagger.v3.oas.models.parameters.Parameter;
import io.swagger.v3.parser.OpenAPIV3Parser;
import io.swagger.v3.parser.core.models.ParseOptions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * An operation of the contract, as the file has it.
 *
 * @param segments those of its path, parameters in braces
 * @param listed all methods of its path
 * @param body the schema of the request's body; null when it has none
 * @param needsBody whether it must have one
 * @param replies the names of each reply's headers, by status
 * @param members those of the bodies that it replies with when it succeeds, and whether each is always there
 */
record Operation(
        String id,
        String method,
        List<String> segments,
        Set<String> listed,
        List<Parameter> parameters,
        Schema<?> body,
        boolean needsBody,
        boolean secured,
        Map<Integer, Set<String>> replies,
        Map<String, Boolean> members) {

    static List<Operation> all() {
        return all(Contract.text());
    }

    static List<Operation> all(String text) {
        ParseOptions resolved = new ParseOptions();
        resolved.setResolve(true);
        resolved.setResolveFully(true);
        OpenAPI contract =
                new OpenAPIV3Parser().readContents(text, null, resolved).getOpenAPI();
        List<Operation> all = new ArrayList<>();
        contract.getPaths()
                .forEach((path, item) -> item.readOperationsMap()
                        .forEach((method, operation) -> all.add(of(path, item, method, operation))));
        return all;
    }

    private static Operation of(
            String path, PathItem item, PathItem.HttpMethod method, io.swagger.v3.oas.models.Operation operation) {
        Map<Integer, Set<String>> replies = new TreeMap<>();
        Map<String, Boolean> members = new TreeMap<>();
        operation.getResponses().forEach((status, reply) -> {
            Map<String, Header> headers = reply.getHeaders() == null ? Map.of() : reply.getHeaders();
            replies.put(Integer.valueOf(status), Set.copyOf(headers.keySet()));
            if (status.startsWith("2") && reply.getContent() != null) {
                members.putAll(
                        members(reply.getContent().get("application/json").getSchema()));
            }
        });
        return new Operation(
                operation.getOperationId(),
                method.name(),
                Arrays.asList(path.substring(1).split("/")),
                item.readOperationsMap().keySet().stream()
                        .map(PathItem.HttpMethod::name)
                        .collect(Collectors.toUnmodifiableSet()),
                Stream.of(item.getParameters(), operation.getParameters())
                        .filter(parameters -> parameters != null)
                        .flatMap(List::stream)
                        .distinct()
                        .toList(),
                operation.getRequestBody() == null
                        ? null
                        : operation
                                .getRequestBody()
                                .getContent()
                                .get("application/json")
                                .getSchema(),
                operation.getRequestBody() != null
                        && Boolean.TRUE.equals(operation.getRequestBody().getRequired()),
                operation.getSecurity() == null || !operation.getSecurity().isEmpty(),
                replies,
                members);
    }

    private static Map<String, Boolean> members(Schema<?> body) {
        Map<String, Boolean> members = new TreeMap<>();
        body.getProperties()
                .keySet()
                .forEach(name -> members.put(
                        name, body.getRequired() != null && body.getRequired().contains(name)));
        return members;
    }

    String path() {
        return "/" + String.join("/", segments);
    }

    boolean hasBody() {
        return body != null;
    }

    /** The parameters that stand in a part of the request. */
    List<Parameter> parametersIn(String place) {
        return parameters.stream()
                .filter(parameter -> parameter.getIn().equals(place))
                .toList();
    }

    @Override
    public String toString() {
        return id;
    }
}
