package dev.countersign.contract;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.support.KeptConnection;
import dev.countersign.support.RawHttp.Reply;
import io.restassured.RestAssured;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Shrinkable;
import net.jqwik.api.Tuple;
import net.jqwik.api.sessions.JqwikSession;
import org.jboss.logging.Logger;

/**
 * Requests that are made of a contract, valid ones and such as are wrong or odd in one to three ways. Valid ones are to
 * get only what the contract says of success, invalid ones only the refusals that it names, and no reply may have a
 * status, a header or a member that the contract doesn't have.
 */
final class GeneratedRequests {

    private static final Logger LOG = Logger.getLogger(GeneratedRequests.class);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int CLIENTS = 4;
    private static final int GENERATOR_SIZE = 1000;
    private static final int ENOUGH_FAILED = 30;
    private static final int MORE = 500;
    private static final int MOST_MORE = 5_000;

    /** What a healthy service never gives, and what the tests of limits and of configured apps see to. */
    private static final Set<Integer> NOT_MET = Set.of(409, 429, 504);

    private final List<Change> changes;
    private final List<Operation> operations;
    private final ReplyCheck check;
    private final Set<String> met = new ConcurrentSkipListSet<>();
    private final AtomicInteger tokens = new AtomicInteger();
    private final Map<Integer, AtomicInteger> statuses = new ConcurrentSkipListMap<>();

    /**
     * @param anonymous what a caller without credentials gets
     * @param origin one whose pages may call
     */
    GeneratedRequests(String contract, Set<Integer> anonymous, String origin) {
        this.changes = Change.all(anonymous, origin);
        this.operations = Operation.all(contract);
        this.check = new ReplyCheck(contract, operations);
    }

    /** Throws an {@link AssertionError} that says what is wrong. Sends more where chance has left something unmet. */
    void send(long seed, int count) throws Exception {
        long begin = System.nanoTime();
        JqwikSession.start();
        try {
            Random random = new Random(seed);
            List<Drawn> requests = drawEachChange(random);
            drawAny(random, count - requests.size(), requests);
            sendAll(requests, seed);
            while (!unmet().isEmpty() && requests.size() < count + MOST_MORE) {
                List<Drawn> more = new ArrayList<>();
                drawAny(random, MORE, more);
                sendAll(more, seed);
                requests.addAll(more);
            }
            report(requests, seed, begin);
        } finally {
            JqwikSession.finish();
        }
        assertThat(unmet())
                .as("what the contract has of replies and no request has got")
                .isEmpty();
    }

    /** Each of each operation once, so that none is left to chance. */
    private List<Drawn> drawEachChange(Random random) {
        List<Drawn> requests = new ArrayList<>();
        for (Operation operation : operations) {
            Arbitrary<ApiRequest> valid = ValidRequests.of(operation);
            requests.add(one(valid, random));
            fitting(operation).forEach(change -> requests.add(one(changed(valid, operation, List.of(change)), random)));
        }
        return requests;
    }

    /** Of any operation, one in three valid. */
    private void drawAny(Random random, int count, List<Drawn> requests) {
        List<Arbitrary<ApiRequest>> any = new ArrayList<>();
        for (Operation operation : operations) {
            Arbitrary<ApiRequest> valid = ValidRequests.of(operation);
            any.add(valid);
            any.add(randomly(valid, operation, fitting(operation)));
            any.add(randomly(valid, operation, fitting(operation)));
        }
        var all = Arbitraries.oneOf(any).generator(GENERATOR_SIZE, true);
        for (int i = 0; i < count; i++) {
            requests.add(Drawn.of(all.next(random)));
        }
    }

    private List<Change> fitting(Operation operation) {
        return changes.stream()
                .filter(change -> change.applies().test(operation))
                .toList();
    }

    private static Drawn one(Arbitrary<ApiRequest> requests, Random random) {
        return Drawn.of(requests.generator(GENERATOR_SIZE).next(random));
    }

    private static Arbitrary<ApiRequest> randomly(
            Arbitrary<ApiRequest> valid, Operation operation, List<Change> fitting) {
        Arbitrary<Change> weighted = Arbitraries.frequency(fitting.stream()
                .map(change -> Tuple.of(change.weight(), change))
                .collect(Collectors.toList()));
        return weighted.list()
                .ofMinSize(1)
                .ofMaxSize(3)
                .uniqueElements(Change::part)
                .flatMap(some -> changed(valid, operation, some));
    }

    private static Arbitrary<ApiRequest> changed(Arbitrary<ApiRequest> valid, Operation operation, List<Change> some) {
        return Combinators.combine(
                        valid,
                        Combinators.combine(some.stream()
                                        .map(change -> change.of(operation))
                                        .toList())
                                .as(List::copyOf))
                .as((request, done) -> {
                    ApiRequest changed = request;
                    for (var change : done) {
                        changed = change.apply(changed);
                    }
                    return changed;
                });
    }

    /** After some that failed, the rest is not sent. */
    private void sendAll(List<Drawn> requests, long seed) throws Exception {
        AtomicInteger next = new AtomicInteger();
        List<Failed> failed = Collections.synchronizedList(new ArrayList<>());
        try (ExecutorService clients = Executors.newFixedThreadPool(CLIENTS)) {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                running.add(clients.submit(() -> {
                    send(requests, next, failed);
                    return null;
                }));
            }
            for (var client : running) {
                client.get();
            }
        }
        if (!failed.isEmpty()) {
            throw new AssertionError(failed.size() + " failed with -Dcontract.seed=" + seed + ":\n"
                    + failed.stream().map(Failed::what).distinct().collect(Collectors.joining("\n"))
                    + "\nThe first, as simple as can be:\n"
                    + smallest(failed.getFirst().drawn));
        }
    }

    private void send(List<Drawn> requests, AtomicInteger next, List<Failed> failed) throws IOException {
        try (KeptConnection connection = new KeptConnection(RestAssured.port)) {
            for (int i = next.getAndIncrement(); i < requests.size(); i = next.getAndIncrement()) {
                String fault = fault(requests.get(i).request(), connection);
                if (!fault.isEmpty()) {
                    failed.add(new Failed(requests.get(i), fault));
                }
                if (failed.size() >= ENOUGH_FAILED) {
                    return;
                }
            }
        }
    }

    /** Empty when there is none. */
    private String fault(ApiRequest request, KeptConnection connection) throws IOException {
        ApiRequest sent = request.live() ? request.forToken(token(request.operation(), connection)) : request;
        Reply reply;
        try {
            reply = connection.exchange(sent.bytes(), sent.isHead());
        } catch (IOException e) {
            connection.close();
            return "no reply (" + e + ") to " + sent;
        }
        List<String> faults = check.faults(sent, reply);
        meet(request.operation(), reply);
        statuses.computeIfAbsent(reply.status(), _ -> new AtomicInteger()).incrementAndGet();
        return faults.isEmpty()
                ? ""
                : String.join("\n", faults) + "\n--- replied:\n" + String.join("\n", reply.head()) + "\n\n"
                        + reply.body() + "\n--- to:\n" + sent;
    }

    private void meet(Operation operation, Reply reply) throws IOException {
        met.add(operation + " " + reply.status());
        if (reply.status() < 300 && !reply.body().isEmpty()) {
            JsonNode body = JSON.readTree(reply.body());
            operation.members().keySet().forEach(name -> met.add(member(operation, name, body.has(name))));
        }
    }

    private static String member(Operation operation, String name, boolean present) {
        return operation + (present ? " with " : " without ") + name;
    }

    /** One that lives; for its status, a redeemed one now and then. */
    private Map<String, String> token(Operation operation, KeptConnection connection) throws IOException {
        Map<String, String> token = newToken(connection);
        if (operation.id().equals("GetTokenStatus") && tokens.get() % 2 == 0) {
            Reply redeemed = connection.exchange(
                    ValidRequests.redeem(named("RedeemToken")).forToken(token).bytes(), false);
            assertThat(redeemed.status()).as(redeemed.toString()).isEqualTo(200);
        }
        return token;
    }

    private Operation named(String id) {
        return operations.stream()
                .filter(operation -> operation.id().equals(id))
                .findFirst()
                .orElseThrow();
    }

    @SuppressWarnings("unchecked")
    private Map<String, String> newToken(KeptConnection connection) throws IOException {
        Reply created = connection.exchange(
                ValidRequests.create(named("CreateToken"), tokens.getAndIncrement())
                        .bytes(),
                false);
        assertThat(created.status()).as(created.toString()).isEqualTo(200);
        return JSON.readValue(created.body(), Map.class);
    }

    /** The fault of a request as simple as still has one. */
    private String smallest(Drawn failed) throws IOException {
        try (KeptConnection connection = new KeptConnection(RestAssured.port)) {
            String smallest = fault(failed.request(), connection);
            if (smallest.isEmpty()) {
                return "it failed among others, and not alone:\n" + failed.request();
            }
            Shrinkable<ApiRequest> current = failed.origin();
            for (int round = 0; round < 50; round++) {
                Shrinkable<ApiRequest> smaller = null;
                for (Shrinkable<ApiRequest> candidate :
                        current.shrink().limit(50).toList()) {
                    String fault = fault(candidate.value(), connection);
                    if (!fault.isEmpty()) {
                        smaller = candidate;
                        smallest = fault;
                        break;
                    }
                }
                if (smaller == null) {
                    break;
                }
                current = smaller;
            }
            return smallest;
        }
    }

    /** A member that need not be there is there sometimes, and sometimes not. */
    private List<String> unmet() {
        return operations.stream()
                .flatMap(operation -> Stream.concat(
                        operation.replies().keySet().stream()
                                .filter(status -> !NOT_MET.contains(status))
                                .map(status -> operation + " " + status),
                        operation.members().entrySet().stream()
                                .flatMap(member -> Stream.of(true, member.getValue())
                                        .distinct()
                                        .map(present -> member(operation, member.getKey(), present)))))
                .filter(reply -> !met.contains(reply))
                .toList();
    }

    private void report(List<Drawn> requests, long seed, long begin) {
        Map<Boolean, Long> refused = requests.stream()
                .map(Drawn::request)
                .collect(Collectors.partitioningBy(ApiRequest::refused, Collectors.counting()));
        LOG.infof(
                "contract: %d requests of seed %d in %d ms, %d to be refused, %d not; undocumented replies 0; statuses %s",
                requests.size(),
                seed,
                (System.nanoTime() - begin) / 1_000_000,
                refused.get(true),
                refused.get(false),
                new TreeMap<>(statuses));
    }

    /** A request, and what can make it simpler. Drawn at once, as jqwik does so on one thread only. */
    private record Drawn(ApiRequest request, Shrinkable<ApiRequest> origin) {

        static Drawn of(Shrinkable<ApiRequest> origin) {
            return new Drawn(origin.value(), origin);
        }
    }

    private record Failed(Drawn drawn, String fault) {

        String what() {
            return drawn.request.what() + ": " + fault.lines().findFirst().orElse("");
        }
    }
}
