package dev.countersign.contract;

import com.atlassian.oai.validator.OpenApiInteractionValidator;
import com.atlassian.oai.validator.model.Request;
import com.atlassian.oai.validator.model.SimpleResponse;
import com.atlassian.oai.validator.report.ValidationReport;
import dev.countersign.support.RawHttp.Reply;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Holds a reply against the contract: status, headers, those that it must not have included, and body. */
final class ReplyCheck {

    /** What HTTP itself adds. */
    private static final Set<String> TRANSPORT =
            Set.of("content-type", "content-length", "date", "connection", "transfer-encoding", "vary");

    /** What a path or a method that is not listed gets; no other has it unless it says so. */
    private static final Set<Integer> OF_NO_OPERATION = Set.of(404, 405);

    /** The error type of a 405. */
    private static final String OF_NO_METHOD = "MethodNotAllowedException";

    private final OpenApiInteractionValidator contract;
    private final Operation anOperation;

    ReplyCheck(String contract, List<Operation> operations) {
        this.contract = OpenApiInteractionValidator.createForInlineApiSpecification(contract)
                .build();
        // One that has all the errors but 405, which no operation has.
        this.anOperation = operations.stream()
                .filter(operation -> operation.id().equals("CreateToken"))
                .findFirst()
                .orElseThrow();
    }

    /** What is wrong with it; empty when nothing is. */
    List<String> faults(ApiRequest request, Reply reply) {
        List<String> faults = new ArrayList<>();
        if (!expected(request).contains(reply.status())) {
            faults.add("status " + reply.status() + " is not one of " + expected(request));
        }
        boolean documented = request.operation().replies().containsKey(reply.status());
        if (!documented && !OF_NO_OPERATION.contains(reply.status())) {
            faults.add("status " + reply.status() + " is not documented");
        }
        faults.addAll(schemaFaults(documented ? request.operation() : anOperation, request.isHead(), reply));
        Set<String> allowed = new TreeSet<>(TRANSPORT);
        documentedHeaders(documented ? request.operation() : anOperation, reply.status())
                .forEach(name -> allowed.add(name.toLowerCase(Locale.ROOT)));
        boolean crossOrigin = request.header("Origin").equals(Change.ALLOWED_ORIGIN);
        headerNames(reply)
                .filter(name -> !allowed.contains(name))
                .filter(name -> !(crossOrigin && name.startsWith("access-control-")))
                .forEach(name -> faults.add("undocumented header " + name));
        headerNames(reply)
                .collect(Collectors.groupingBy(name -> name, TreeMap::new, Collectors.counting()))
                .forEach((name, times) -> {
                    if (times > 1) {
                        faults.add("header " + name + " " + times + " times");
                    }
                });
        if (reply.status() == 405) {
            faults.addAll(allowFaults(request, reply));
        }
        if (!request.path().startsWith("/prod")) {
            faults.removeIf(fault -> fault.contains("'Cache-Control' is expected"));
        }
        return faults;
    }

    /** The statuses that the contract has for it. */
    private static Set<Integer> expected(ApiRequest request) {
        Set<Integer> expected = new TreeSet<>(request.refusals());
        expected.remove(Change.OR_NOT);
        if (request.isPreflight()) {
            // It is answered on every path, so that a browser can read the error of the call itself.
            expected.add(200);
        }
        if (!request.refused()) {
            request.operation().replies().keySet().stream()
                    .filter(status -> status < 300 || (!request.live() && (status == 404 || status == 429)))
                    .forEach(expected::add);
        }
        return expected;
    }

    private List<String> schemaFaults(Operation operation, boolean head, Reply reply) {
        // No operation has a 405; it has the form of any other refusal.
        int status = reply.status() == 405 ? 400 : reply.status();
        SimpleResponse.Builder response = SimpleResponse.Builder.status(status);
        reply.head().stream().skip(1).forEach(line -> {
            int colon = line.indexOf(':');
            String name = line.substring(0, colon);
            String value = line.substring(colon + 1).strip();
            response.withHeader(
                    name, value.equals(OF_NO_METHOD) && status != reply.status() ? "BadRequestException" : value);
        });
        if (!reply.body().isEmpty()) {
            response.withBody(reply.body());
        }
        ValidationReport report = contract.validateResponse(
                operation.path(), Request.Method.valueOf(operation.method()), response.build());
        return report.getMessages().stream()
                .filter(message -> !(head && message.getKey().equals("validation.response.body.missing")))
                .map(message -> message.getKey() + ": " + message.getMessage())
                .toList();
    }

    private static Set<String> documentedHeaders(Operation operation, int status) {
        if (status == 405) {
            Set<String> headers = new TreeSet<>(operation.replies().get(400));
            headers.add("Allow");
            return headers;
        }
        return operation.replies().getOrDefault(status, Set.of());
    }

    /** RFC 9110, section 15.5.6. */
    private static List<String> allowFaults(ApiRequest request, Reply reply) {
        Set<String> allow = Arrays.stream(reply.header("Allow").split(","))
                .map(String::strip)
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> listed = new TreeSet<>(request.operation().listed());
        if (listed.contains("GET")) {
            listed.add("HEAD");
        }
        boolean otherPath = request.changes().contains("bad path parameter");
        return allow.equals(listed) || (otherPath && allow.contains("OPTIONS"))
                ? List.of()
                : List.of("Allow is " + allow + " and not " + listed);
    }

    private static Stream<String> headerNames(Reply reply) {
        return reply.head().stream()
                .skip(1)
                .map(line -> line.substring(0, line.indexOf(':')).toLowerCase(Locale.ROOT));
    }
}
