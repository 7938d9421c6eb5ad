package dev.countersign.contract;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.URLEncoder;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;

/**
 * One thing that is wrong with a request, or merely odd.
 *
 * @param part what of the request it touches; two changes of one part would undo each other
 * @param applies to which operations
 * @param refusals the statuses that it may be refused with; none when it changes nothing for the service
 * @param weight how often it is drawn, beside the others
 */
record Change(
        String name,
        Part part,
        Predicate<Operation> applies,
        Set<Integer> refusals,
        int weight,
        Function<Operation, Arbitrary<Function<ApiRequest, ApiRequest>>> making) {

    enum Part {
        METHOD,
        PATH,
        QUERY,
        BODY,
        TYPE,
        ACCEPT,
        CREDENTIALS,
        ORIGIN,
        HOST,
        KEY,
        OTHER
    }

    /** Among the refusals of a change: or it changes nothing for the service. */
    static final int OR_NOT = 0;

    static final String ALLOWED_ORIGIN = "https://console.example.com";

    /** At the end, it makes another path of it, which may be listed. */
    private static final Pattern NO_SEGMENT = Pattern.compile("(\\.|%2[eE]){0,2}");

    private static final int USUAL = 4;

    /** Too many refused credentials close the door to everybody. */
    private static final int RARE = 1;

    /**
     * @param anonymous what a caller without credentials gets
     * @param origin one whose pages may call
     */
    static List<Change> all(Set<Integer> anonymous, String origin) {
        List<Change> all = new ArrayList<>();
        all.addAll(ofTheTarget());
        all.addAll(ofTheBody());
        all.addAll(ofTheHeaders(anonymous, origin));
        return all;
    }

    /** The ways to make it of an operation's requests. */
    Arbitrary<Function<ApiRequest, ApiRequest>> of(Operation operation) {
        return making.apply(operation)
                .map(change -> request -> change.apply(request).changed(name, refusals));
    }

    private Change rarely() {
        return new Change(name, part, applies, refusals, RARE, making);
    }

    private static List<Change> ofTheTarget() {
        return List.of(
                change(
                        "method that the path lacks",
                        Part.METHOD,
                        _ -> true,
                        Set.of(405),
                        ApiRequest::withMethod,
                        Change::unlisted),
                change("HEAD", Part.METHOD, is("GET"), Set.of(), ApiRequest::withMethod, just("HEAD")),
                making(
                        "bad path parameter",
                        Part.PATH,
                        hasParameter("path"),
                        Set.of(400, 404, 405),
                        Change::badParameter),
                making("path that is not listed", Part.PATH, _ -> true, Set.of(400, 404, 405), Change::unknownPath),
                making("bad percent-encoding", Part.PATH, _ -> true, Set.of(400), Change::badEncoding),
                making(
                        "needless percent-encoding",
                        Part.PATH,
                        hasParameter("path"),
                        Set.of(),
                        Change::needlessEncoding),
                plain("doubled slash", Part.PATH, _ -> true, Set.of(), request -> request.withSegment(0, "prod/")),
                making("bad query parameter", Part.QUERY, hasParameter("query"), Set.of(400), Change::badQuery),
                change(
                        "query that means nothing",
                        Part.QUERY,
                        operation -> !hasParameter("query").test(operation),
                        Set.of(),
                        ApiRequest::withQuery,
                        of("?", "?a", "?limit=0&limit=x", "?a=%zz", "?%00", "??", "?a=b#c", "?" + "q".repeat(3000))));
    }

    private static List<Change> ofTheBody() {
        return List.of(
                plain("no body", Part.BODY, Operation::needsBody, Set.of(400), ApiRequest::withoutBody),
                plain("empty body", Part.BODY, Operation::needsBody, Set.of(400), request -> request.withBody("")),
                change(
                        "body that is not JSON",
                        Part.BODY,
                        Operation::hasBody,
                        Set.of(400),
                        ApiRequest::withBody,
                        of(
                                " ",
                                "x",
                                "{",
                                "}",
                                "{}{}",
                                "{}]",
                                "{} x",
                                "{'a':1}",
                                "{a:1}",
                                "{,}",
                                "[1,]",
                                "nul",
                                "\u0000",
                                "\ufeff",
                                "// c\n{}",
                                "{\"a\":NaN}",
                                "<a/>",
                                "a=b",
                                "{\"challengeCode\":\"x\"} {}",
                                "{\"ttlSeconds\":1,}",
                                "{\"a\":" + "1".repeat(2000) + "}",
                                "{".repeat(15_000))),
                change(
                        "body that is no object",
                        Part.BODY,
                        Operation::hasBody,
                        Set.of(400),
                        ApiRequest::withBody,
                        of(
                                "null",
                                "[]",
                                "[{}]",
                                "1",
                                "1.5",
                                "\"\"",
                                "\"{}\"",
                                "true",
                                "[".repeat(2000) + "]".repeat(2000),
                                "{\"a\":".repeat(2000) + "1" + "}".repeat(2000),
                                "1".repeat(2000))),
                change(
                        "member that the schema refuses",
                        Part.BODY,
                        Operation::hasBody,
                        Set.of(400),
                        ApiRequest::withBody,
                        operation -> Values.invalidObject(operation.body())),
                change(
                        "member that the schema lacks",
                        Part.BODY,
                        Operation::hasBody,
                        Set.of(400),
                        ApiRequest::withBody,
                        operation -> Values.objectWithUnknownMember(operation.body())),
                change(
                        "member that comes twice",
                        Part.BODY,
                        Operation::hasBody,
                        Set.of(400),
                        ApiRequest::withBody,
                        operation -> Values.objectWithRepeatedMember(operation.body())),
                making("body that is not UTF-8", Part.BODY, Operation::hasBody, Set.of(400), Change::otherEncoding),
                change(
                        "bytes as body",
                        Part.BODY,
                        Operation::hasBody,
                        Set.of(400),
                        (request, bytes) -> request.withBody(bytes),
                        _ -> Arbitraries.bytes()
                                .array(byte[].class)
                                .ofMinSize(1)
                                .ofMaxSize(200)),
                change(
                        "body where none belongs",
                        Part.BODY,
                        operation -> !operation.hasBody(),
                        Set.of(),
                        (request, bytes) -> request.withBody(bytes),
                        _ -> Arbitraries.bytes().array(byte[].class).ofMaxSize(2000)),
                change(
                        "too large body",
                        Part.BODY,
                        _ -> true,
                        Set.of(413),
                        ApiRequest::withBody,
                        _ -> Arbitraries.integers().between(16_385, 40_000).map(" "::repeat)));
    }

    private static List<Change> ofTheHeaders(Set<Integer> anonymous, String origin) {
        return List.of(
                change(
                        "other media type",
                        Part.TYPE,
                        Operation::hasBody,
                        Set.of(415),
                        only("Content-Type"),
                        of(
                                "text/plain",
                                "application/xml",
                                "application/x-www-form-urlencoded",
                                "application/jso",
                                "application/json5",
                                "application/vnd.api+json",
                                "text/json",
                                "multipart/form-data",
                                "multipart/form-data; boundary=x",
                                "image/png")),
                change(
                        "body in another coding",
                        Part.TYPE,
                        Operation::hasBody,
                        Set.of(415),
                        ApiRequest::withHeader,
                        of("Content-Encoding: gzip", "Content-Encoding: br, é")),
                change(
                        "malformed media type",
                        Part.TYPE,
                        Operation::hasBody,
                        Set.of(400, 415),
                        only("Content-Type"),
                        of(
                                "json",
                                "/",
                                ";",
                                "application/",
                                "/json",
                                "application/json/x",
                                "a b/c",
                                "é/é",
                                "x".repeat(3000))),
                change(
                        "malformed parameter of the media type",
                        Part.TYPE,
                        Operation::hasBody,
                        Set.of(400, 415, OR_NOT),
                        only("Content-Type"),
                        of("application/json;;;=", "application/json; charset=\"", "application/json; =x")),
                plain(
                        "no media type",
                        Part.TYPE,
                        Operation::hasBody,
                        Set.of(400, 415, OR_NOT),
                        request -> request.withoutHeader("Content-Type")),
                change(
                        "media type of the same meaning",
                        Part.TYPE,
                        Operation::hasBody,
                        Set.of(),
                        only("Content-Type"),
                        of("application/json;charset=utf-8", "APPLICATION/JSON", "application/json; charset=UTF-8")),
                change(
                        "media type where no body belongs",
                        Part.TYPE,
                        operation -> !operation.hasBody(),
                        Set.of(),
                        only("Content-Type"),
                        of(
                                "application/json",
                                "text/plain",
                                "application/x-www-form-urlencoded",
                                "application/x-amz-json-1.1")),
                change(
                        "Accept that excludes JSON",
                        Part.ACCEPT,
                        _ -> true,
                        Set.of(406),
                        only("Accept"),
                        of(
                                "text/html",
                                "application/xml",
                                "text/*",
                                "image/png, text/plain;q=0.5",
                                "application/xhtml+xml")),
                change(
                        "malformed Accept",
                        Part.ACCEPT,
                        _ -> true,
                        Set.of(400, 406, OR_NOT),
                        only("Accept"),
                        of("json", "///;;q=x", "application/", "/", "a b/c", ";", "application/json;q=x", "é/é")),
                change(
                        "Accept that includes JSON",
                        Part.ACCEPT,
                        _ -> true,
                        Set.of(),
                        only("Accept"),
                        of(
                                "*/*",
                                "application/*",
                                "application/json",
                                "text/html, application/json;q=0.1",
                                "Application/JSON",
                                "text/html,*/*;q=0.1",
                                "application/json, text/plain, */*")),
                new Change(
                        "no credentials",
                        Part.CREDENTIALS,
                        Operation::secured,
                        anonymous,
                        RARE,
                        _ -> Arbitraries.just(request -> request.withoutHeader("Authorization"))),
                change(
                                "refused bearer token",
                                Part.CREDENTIALS,
                                Operation::secured,
                                Set.of(401),
                                only("Authorization"),
                                of("Bearer x", "bearer a.b.c", "Bearer eyJhbGciOiJub25lIn0.e30."))
                        .rarely(),
                change(
                                "refused credentials",
                                Part.CREDENTIALS,
                                Operation::secured,
                                Set.of(401, 403),
                                only("Authorization"),
                                of(
                                        "",
                                        "Bearer",
                                        "Bearer ",
                                        "Basic YTpi",
                                        "AWS4-HMAC-SHA256",
                                        "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=0",
                                        "AWS4-HMAC-SHA256 Credential=a/20261123/us-east-1/amplifybackend/aws4_request,"
                                                + " SignedHeaders=host;x-amz-date, Signature=" + "0".repeat(64),
                                        "é",
                                        "Digest username=\"a\"",
                                        "Negotiate",
                                        "x".repeat(3000)))
                        .rarely(),
                plain(
                                "two credentials",
                                Part.CREDENTIALS,
                                Operation::secured,
                                Set.of(401, 403),
                                request -> request.withHeader("Authorization: Bearer x"))
                        .rarely(),
                change(
                        "Origin that may not call",
                        Part.ORIGIN,
                        _ -> true,
                        Set.of(403),
                        only("Origin"),
                        of(
                                "",
                                "null",
                                "x",
                                "https://evil.example",
                                "http://[",
                                "https://console.example.com.evil.example",
                                "https://console.example.com:444",
                                "http://console.example.com",
                                "https://console.example.com/",
                                "HTTPS://CONSOLE.EXAMPLE.COM",
                                "https://console.example.com https://evil.example",
                                "*",
                                "é",
                                "http://localhost:1",
                                "://",
                                "https://%zz",
                                "http://" + "x".repeat(3000))),
                change(
                        "two Origins",
                        Part.ORIGIN,
                        _ -> true,
                        Set.of(403),
                        Change::withOrigins,
                        of("https://evil.example", "null", "", "http://localhost:1")),
                // The service's own origin is told by the Host, which must not be changed too.
                plain(
                        "Origin that may call",
                        origin.equals(ALLOWED_ORIGIN) ? Part.ORIGIN : Part.HOST,
                        _ -> true,
                        Set.of(),
                        request -> request.withHeader("Origin: " + origin)),
                change(
                        "preflight",
                        Part.ORIGIN,
                        is("OPTIONS"),
                        origin.equals(ALLOWED_ORIGIN) ? Set.of() : Set.of(403),
                        Change::preflight,
                        methods()),
                plain(
                        "two Hosts",
                        Part.HOST,
                        _ -> true,
                        Set.of(400),
                        request -> request.withHeader("Host: other.example")),
                change(
                        "odd Host",
                        Part.HOST,
                        _ -> true,
                        Set.of(400, OR_NOT),
                        only("Host"),
                        of(
                                "",
                                "x",
                                "localhost:99999",
                                "[",
                                "[::1",
                                "a b",
                                "é",
                                "localhost:x",
                                "user@localhost",
                                "y".repeat(3000))),
                making("bad header parameter", Part.KEY, hasParameter("header"), Set.of(400), Change::badHeader),
                change(
                        "header that means nothing",
                        Part.OTHER,
                        _ -> true,
                        Set.of(),
                        ApiRequest::withHeader,
                        of(
                                "X-Forwarded-For: 1.2.3.4, x, [::",
                                "X-Forwarded-Host: evil.example",
                                "X-HTTP-Method-Override: DELETE",
                                "Forwarded: for=\"_x\";proto=é",
                                "Accept-Encoding: gzip;q=x, é",
                                "Accept-Language: x-é,,;q",
                                "Accept-Charset: utf-16",
                                "If-None-Match: *",
                                "If-Match: \"x\"",
                                "If-Modified-Since: x",
                                "Range: bytes=0-1,5-",
                                "Cookie: a=b; $é=",
                                "TE: trailers",
                                "Access-Control-Request-Method: PUT",
                                "X-Amz-Date: x",
                                "X-Amz-Content-Sha256: x",
                                "X-Amz-Security-Token: x",
                                "traceparent: x",
                                "traceparent: 00-" + "0".repeat(32) + "-x",
                                "baggage: é=;;",
                                "Referer: http://[",
                                "User-Agent: ",
                                "Via: é",
                                "Max-Forwards: x",
                                "Expect: 100-continue",
                                "X-" + "a".repeat(2000) + ": b",
                                "X-A: " + "b".repeat(4000))));
    }

    // --- What is done

    private static Arbitrary<String> unlisted(Operation operation) {
        List<String> methods = new ArrayList<>(List.of(
                "GET", "POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "FOO", "get", "PoSt", "X-Y", "OPTION"));
        methods.removeAll(operation.listed());
        return Arbitraries.of(methods);
    }

    private static Arbitrary<Function<ApiRequest, ApiRequest>> badParameter(Operation operation) {
        return Arbitraries.of(operation.parametersIn("path")).flatMap(parameter -> {
            int index = operation.segments().indexOf("{" + parameter.getName() + "}");
            boolean last = index == operation.segments().size() - 1;
            return Values.invalidText(parameter.getSchema())
                    .map(Change::inPath)
                    .filter(value -> !(last && NO_SEGMENT.matcher(value).matches()))
                    .map(value -> request -> request.withSegment(index, value));
        });
    }

    /** Any byte that a request line can have in a path; the rest is encoded. */
    private static String inPath(String value) {
        return value.replaceAll("%(?![0-9a-f]{2})", "%25")
                .chars()
                .mapToObj(c -> c <= ' ' || c == '?' || c == '#' || c == '/' || c > 0xff
                        ? URLEncoder.encode(Character.toString(c), UTF_8).replace("+", "%20")
                        : Character.toString(c))
                .collect(Collectors.joining());
    }

    private static Arbitrary<Function<ApiRequest, ApiRequest>> unknownPath(Operation operation) {
        int last = operation.segments().size() - 1;
        return Arbitraries.of(List.of(
                request -> request.withSegment(0, "Prod"),
                request -> request.withSegment(0, "prod2"),
                request -> request.withSegment(0, "x/prod"),
                request -> request.withSegment(1, "nope"),
                request -> request.withSegment(1, "APPS"),
                request -> request.withSegment(1, "backend/apps"),
                request -> request.withSegment(last, "x/y/z/x/y/z"),
                request -> request.withSegments(List.of("index.html")),
                request -> request.withSegments(List.of("prod")),
                request -> request.withSegments(List.of("prod", "backend")),
                request -> request.withSegments(List.of("prod", "apps", "demo", "demo")),
                request -> request.withSegments(List.of("q", "nope")),
                request -> request.withSegments(List.of("favicon.ico"))));
    }

    private static Arbitrary<Function<ApiRequest, ApiRequest>> badEncoding(Operation operation) {
        return index(operation)
                .flatMap(index -> Arbitraries.of("%", "%z", "%zz", "%2", "%u0041", "%-1", "% 1")
                        .map(bad -> request -> {
                            String segment = request.segments().get(index);
                            return request.withSegment(index, segment + bad.replace(" ", ""));
                        }));
    }

    private static Arbitrary<Function<ApiRequest, ApiRequest>> needlessEncoding(Operation operation) {
        return Arbitraries.of(operation.parametersIn("path"))
                .map(parameter -> operation.segments().indexOf("{" + parameter.getName() + "}"))
                .map(index -> request -> {
                    String segment = request.segments().get(index);
                    return segment.equals(ApiRequest.LIVE_SESSION)
                            ? request
                            : request.withSegment(
                                    index, "%" + Integer.toHexString(segment.charAt(0)) + segment.substring(1));
                });
    }

    private static Arbitrary<Integer> index(Operation operation) {
        return Arbitraries.of(
                IntStream.range(0, operation.segments().size()).boxed().toList());
    }

    private static Arbitrary<Function<ApiRequest, ApiRequest>> badQuery(Operation operation) {
        return Arbitraries.of(operation.parametersIn("query"))
                .flatMap(parameter -> Values.invalidText(parameter.getSchema())
                        .filter(value -> !value.isEmpty())
                        .map(value -> URLEncoder.encode(value, UTF_8))
                        .map(value -> request -> request.withQuery("?" + parameter.getName() + "=" + value)));
    }

    private static Arbitrary<Function<ApiRequest, ApiRequest>> badHeader(Operation operation) {
        return Arbitraries.of(operation.parametersIn("header"))
                .flatMap(parameter -> Values.invalidText(parameter.getSchema())
                        .map(Change::inHeader)
                        .map(value -> request -> request.withOnly(parameter.getName(), value)));
    }

    private static String inHeader(String value) {
        return value.replaceAll("[^ -~\\u0080-\\u00ff]", "é").strip();
    }

    private static Arbitrary<Function<ApiRequest, ApiRequest>> otherEncoding(Operation operation) {
        return Arbitraries.of(UTF_16, Charset.forName("UTF-16LE"), Charset.forName("UTF-32BE"), ISO_8859_1)
                .map(charset ->
                        request -> request.withBody(new String(request.body().getBytes(ISO_8859_1), UTF_8)
                                .replace("{", "{\"é\":1,")
                                .replace(",}", "}")
                                .getBytes(charset)));
    }

    private static ApiRequest withOrigins(ApiRequest request, String other) {
        return request.withHeader("Origin: " + ALLOWED_ORIGIN).withHeader("Origin: " + other);
    }

    private static ApiRequest preflight(ApiRequest request, String method) {
        return request.withHeader("Origin: " + ALLOWED_ORIGIN)
                .withHeader("Access-Control-Request-Method: " + method)
                .withHeader("Access-Control-Request-Headers: authorization,x-amz-date,x-other");
    }

    // --- How a change is put together

    private static Function<Operation, Arbitrary<String>> methods() {
        return of("POST", "GET", "PATCH", "FOO", "", "é");
    }

    private static BiFunction<ApiRequest, String, ApiRequest> only(String name) {
        return (request, value) -> request.withOnly(name, value);
    }

    private static Predicate<Operation> is(String method) {
        return operation -> operation.method().equals(method);
    }

    private static Predicate<Operation> hasParameter(String place) {
        return operation -> !operation.parametersIn(place).isEmpty();
    }

    private static Function<Operation, Arbitrary<String>> of(String... values) {
        return _ -> Arbitraries.of(values);
    }

    private static Function<Operation, Arbitrary<String>> just(String value) {
        return of(value);
    }

    private static Change plain(
            String name,
            Part part,
            Predicate<Operation> applies,
            Set<Integer> refusals,
            Function<ApiRequest, ApiRequest> change) {
        return new Change(name, part, applies, refusals, USUAL, _ -> Arbitraries.just(change));
    }

    private static Change making(
            String name,
            Part part,
            Predicate<Operation> applies,
            Set<Integer> refusals,
            Function<Operation, Arbitrary<Function<ApiRequest, ApiRequest>>> making) {
        return new Change(name, part, applies, refusals, USUAL, making);
    }

    private static <T> Change change(
            String name,
            Part part,
            Predicate<Operation> applies,
            Set<Integer> refusals,
            BiFunction<ApiRequest, T, ApiRequest> change,
            Function<Operation, Arbitrary<T>> values) {
        return new Change(
                name,
                part,
                applies,
                refusals,
                USUAL,
                operation -> values.apply(operation).map(value -> request -> change.apply(request, value)));
    }
}
