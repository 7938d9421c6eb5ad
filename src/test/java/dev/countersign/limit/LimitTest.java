package dev.countersign.limit;

import static dev.countersign.support.Contract.anonymousCall;
import static dev.countersign.support.Contract.call;
import static dev.countersign.support.Contract.callAs;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.matchesRegex;

import dev.countersign.support.AwsCredentials;
import dev.countersign.support.ServiceTest;
import dev.countersign.support.TestDatabase;
import dev.countersign.support.Tokens;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import io.restassured.response.Response;
import io.restassured.specification.RequestSpecification;
import jakarta.inject.Inject;
import java.net.URI;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.amplifybackend.AmplifyBackendClient;

/** A caller that exceeds a limit is told so and for how long, and hurts nobody else. */
@QuarkusTest
@TestProfile(LimitTest.Narrow.class)
class LimitTest extends ServiceTest {

    private static final Logger LOG = Logger.getLogger(LimitTest.class);

    @Inject
    MeterRegistry metrics;

    @Inject
    RegisteredRates rates;

    /** All admit 10 at once. Then 120 a minute is two a second, 60 is one, and 20 one in three seconds. */
    public static class Narrow implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of(
                    "countersign.limit.read-per-minute", "60",
                    "countersign.limit.redeem-per-minute", "20",
                    "countersign.limit.remove-per-minute", "20",
                    "countersign.limit.registry-per-minute", "120",
                    "countersign.limit.refused-authentication-per-minute", "60",
                    "countersign.limit.trusted-proxies", "127.0.0.0/8,::1",
                    // As in production, where a caller without credentials is nobody.
                    "countersign.access.anonymous-principal", "");
        }
    }

    @Test
    void callerThatWaitsAsLongAsItIsToldIsAdmitted() throws Exception {
        register("waiting", 60);
        Response refused = untilRefused(() -> create("waiting"));
        assertRefused(refused, "CREATE_TOKEN_RATE", "1");

        Thread.sleep(Duration.ofSeconds(Long.parseLong(refused.header("Retry-After"))));
        create("waiting").then().statusCode(200);
    }

    @Test
    void floodOfOneAppLeavesAnotherServed() throws Exception {
        register("flooded", 60);
        long[] alone = nanosOfCreates(25);
        AtomicBoolean over = new AtomicBoolean();
        AtomicInteger refused = new AtomicInteger();
        Thread flood = Thread.ofPlatform().start(() -> {
            while (!over.get()) {
                refused.addAndGet(create("flooded").statusCode() == 429 ? 1 : 0);
            }
        });
        await().until(() -> refused.get() > 10);
        long[] beside = nanosOfCreates(25);
        over.set(true);
        flood.join();
        LOG.infof(
                "create of another app: median %d µs alone, %d µs beside a flood with %d refusals",
                alone[12] / 1000, beside[12] / 1000, refused.get());
    }

    @Test
    void appsWithTheSameLimitDoNotShareIt() {
        register("greedy", 60);
        register("modest", 60);
        untilRefused(() -> create("greedy"));
        create("modest").then().statusCode(200);
    }

    @Test
    void changedLimitTakesHoldWithinASecond() {
        register("changing", 60);
        untilRefused(() -> create("changing"));
        register("changing", 600_000);
        for (int i = 0; i < 15; i++) {
            create("changing").then().statusCode(200);
        }
        register("changing", 60);
        untilRefused(() -> create("changing"));
    }

    @Test
    void changedLimitGivesNoFreshBurst() {
        register("flapping", 600);
        untilRefused(() -> create("flapping"));
        long begin = System.nanoTime();
        int admitted = 0;
        for (int rate = 601; rate < 604; rate++) {
            register("flapping", rate);
            for (int i = 0; i < 40; i++) {
                admitted += create("flapping").statusCode() == 200 ? 1 : 0;
            }
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        assertThat(admitted).as("in %.1f s, at 10 a second", seconds).isLessThan((int) (seconds * 11) + 5);
    }

    @Test
    void readsOfAnAppAreLimitedWhetherTheyFindAnythingOrNot() {
        register("curious", 600_000);
        Map<String, String> token = Tokens.create("curious");
        Response refused = untilRefused(
                () -> call().get(path("curious") + "/" + token.get("sessionId").replaceFirst(".$", "0")));
        assertRefused(refused, "READ_RATE", "1");
        Tokens.create("curious");
    }

    @Test
    void askingForTheStatusCountsAsARead() {
        register("asked", 600_000);
        String token = path("asked") + "/" + Tokens.create("asked").get("sessionId");
        assertRefused(untilRefused(() -> call().get(token + "/status")), "READ_RATE", "1");
        // Of a bucket of their own, ten reads would be admitted at once.
        assertThat(IntStream.range(0, 5).map(_ -> call().get(token).statusCode()))
                .contains(429);
    }

    @Test
    void attemptsOverAllCodesOfAnAppAreLimited() throws Exception {
        register("guessed", 600_000);
        Response refused = untilRefused(
                attempt -> redeem("guessed", Tokens.create("guessed").get("sessionId"), "wrong" + attempt));
        assertRefused(refused, "REDEEM_RATE", "[123]");

        Map<String, String> token = Tokens.create("guessed");
        untilRefused(_ -> redeem("guessed", token.get("sessionId"), "wrong"));
        String attempts = "SELECT attempts FROM challenge_session WHERE session_id = '" + token.get("sessionId") + "'";
        int counted = Integer.parseInt(TestDatabase.query(attempts).getFirst());
        assertThat(counted).isLessThan(5);
        redeem("guessed", token.get("sessionId"), "wrong").then().statusCode(429);
        assertThat(TestDatabase.query(attempts))
                .as("a refused call costs no attempt")
                .containsExactly("" + counted);
    }

    @Test
    void removalsOfAnAppAreLimited() {
        TestDatabase.register("removed");
        assertRefused(
                untilRefused(() -> remove(
                        "removed", Tokens.create("removed").get("sessionId").replaceFirst(".$", "0"))),
                "REMOVE_RATE",
                "[123]");
        String session = Tokens.create("removed").get("sessionId");
        untilRefused(() -> remove("removed", session.replaceFirst(".$", "0")));
        remove("removed", session).then().statusCode(429);
        call().get(path("removed") + "/" + session).then().statusCode(200);
    }

    /** Each principal's, for whichever app, and no other's. */
    @Test
    void callsOfTheRegistryAreLimited() {
        assertRefused(
                untilRefused(attempt -> switch (attempt % 3) {
                    case 0 -> callAs("admin").get("/prod/apps");
                    case 1 -> callAs("admin").get("/prod/apps/demo");
                    default ->
                        callAs("admin")
                                .contentType("application/json")
                                .body("{}")
                                .put("/prod/apps/demo");
                }),
                "REGISTRY_RATE",
                "1");
        call().get("/prod/apps/demo").then().statusCode(200);
    }

    @Test
    void firstCallsOfAnAppMayComeTogether() throws Exception {
        for (int round = 0; round < 5; round++) {
            String app = "sudden" + round;
            register(app, 600_000);
            try (ExecutorService callers = Executors.newFixedThreadPool(16)) {
                List<Future<Response>> replies = callers.invokeAll(Collections.nCopies(16, () -> create(app)));
                for (Future<Response> reply : replies) {
                    reply.get().then().statusCode(200);
                }
            }
        }
    }

    @Test
    void unregisteredAppsFillNoTable() {
        String session = Tokens.create("demo").get("sessionId");
        for (int i = 0; i < 20; i++) {
            assertThat(call().get(path("nosuchapp" + i) + "/" + session).statusCode())
                    .isIn(404, 429);
        }
        assertThat(TestDatabase.query("SELECT id FROM limit_bucket WHERE id LIKE 'READ:%-' OR id LIKE '%nosuchapp%'"))
                .containsExactly("READ:-");
    }

    @Test
    void awsClientWaitsAsItIsToldAndSucceeds() {
        // Then one in three seconds: longer than the client waits of itself.
        register("patient", 20);
        AtomicInteger attempts = new AtomicInteger();
        try (AmplifyBackendClient client = client(attempts)) {
            untilRefused(() -> create("patient"));
            long start = System.nanoTime();
            client.createToken(token -> token.appId("patient"));
            Duration waited = Duration.ofNanos(System.nanoTime() - start);
            LOG.infof("the AWS client succeeded after %d attempts and %d ms", attempts.get(), waited.toMillis());
        }
        assertThat(attempts).hasValue(2);
    }

    @Test
    void addressWhoseCredentialsAreRefusedTooOftenIsNotListenedTo() throws Exception {
        Response refused = untilRefused(() -> createWithBadToken("198.51.100.1"));
        assertRefused(refused, "AUTHENTICATION_RATE", "1");
        call().header("X-Forwarded-For", "198.51.100.1")
                .post(path("demo"))
                .then()
                .statusCode(429);
        call().header("X-Forwarded-For", "198.51.100.1")
                .options(path("demo"))
                .then()
                .statusCode(200);

        createWithBadToken("198.51.100.2").then().statusCode(401);
        call().header("X-Forwarded-For", "198.51.100.2")
                .post(path("demo"))
                .then()
                .statusCode(200);

        Thread.sleep(Duration.ofSeconds(Long.parseLong(refused.header("Retry-After"))));
        call().header("X-Forwarded-For", "198.51.100.1")
                .post(path("demo"))
                .then()
                .statusCode(200);
    }

    @Test
    void badSignaturesAreCountedToo() {
        assertRefused(
                untilRefused(_ -> from("198.51.100.3")
                        .header("Authorization", "AWS4-HMAC-SHA256 Credential=nobody")
                        .post(path("demo"))),
                "AUTHENTICATION_RATE",
                "1");
    }

    @Test
    void callersWithoutCredentialsAreCountedToo() {
        assertRefused(untilRefused(_ -> from("198.51.100.5").post(path("demo"))), "AUTHENTICATION_RATE", "1");
    }

    @Test
    void callersThatAreKnownAndMayNotAreNotCounted() {
        for (int i = 0; i < 10; i++) {
            callAs("reader")
                    .header("X-Forwarded-For", "198.51.100.6")
                    .post(path("demo"))
                    .then()
                    .statusCode(403);
        }
    }

    @Test
    void callerCannotChooseItsAddress() {
        assertRefused(
                untilRefused(attempt -> createWithBadToken("203.0.113." + attempt + ", 198.51.100.4")),
                "AUTHENTICATION_RATE",
                "1");
    }

    @Test
    void limiterThatFailsDenies() {
        register("unlucky", 600);
        double failures = metrics.counter("countersign.limit.failures").count();
        TestDatabase.execute("ALTER TABLE limit_bucket RENAME TO limit_bucket_gone");
        try {
            create("unlucky")
                    .then()
                    .statusCode(504)
                    .header("x-amzn-ErrorType", "GatewayTimeoutException")
                    .body("message", equalTo("The service is temporarily unavailable. Try again."));
        } finally {
            TestDatabase.execute("ALTER TABLE limit_bucket_gone RENAME TO limit_bucket");
        }
        assertThat(metrics.counter("countersign.limit.failures").count()).isEqualTo(failures + 1);
        create("unlucky").then().statusCode(200);
    }

    /** A limit of 60 a minute is used up in as many calls, unless each takes a second. */
    private static Response untilRefused(IntFunction<Response> call) {
        for (int attempt = 1; attempt <= 60; attempt++) {
            Response response = call.apply(attempt);
            if (response.statusCode() == 429) {
                return response;
            }
        }
        throw new AssertionError("Nothing was refused");
    }

    private static Response untilRefused(Supplier<Response> call) {
        return untilRefused(_ -> call.get());
    }

    private static void assertRefused(Response refused, String limitType, String retryAfter) {
        refused.then()
                .statusCode(429)
                .header("x-amzn-ErrorType", "TooManyRequestsException")
                .header("Retry-After", matchesRegex(retryAfter))
                .header("Cache-Control", "no-store")
                .body("limitType", equalTo(limitType))
                .body("message", matchesRegex("Too many .*"));
    }

    private static long[] nanosOfCreates(int count) {
        long[] nanos = new long[count];
        for (int i = 0; i < count; i++) {
            long start = System.nanoTime();
            create("other").then().statusCode(200);
            nanos[i] = System.nanoTime() - start;
        }
        Arrays.sort(nanos);
        return nanos;
    }

    /** Within a second, it holds. */
    private void register(String app, int createTokenPerMinute) {
        int status = call().contentType("application/json")
                .body(Map.of("createTokenPerMinute", createTokenPerMinute))
                .put("/prod/apps/" + app)
                .statusCode();
        assertThat(status).isIn(200, 201);
        await().pollInterval(Duration.ofMillis(10))
                .atMost(Duration.ofSeconds(1))
                .until(() -> Objects.equals(rates.rates().join().get(app), createTokenPerMinute));
    }

    private static Response create(String app) {
        return call().post(path(app));
    }

    private static Response redeem(String app, String session, String code) {
        return call().contentType("application/json")
                .body(Map.of("challengeCode", code))
                .post(path(app) + "/" + session + "/redeem");
    }

    private static Response remove(String app, String session) {
        return call().post(path(app) + "/" + session + "/remove");
    }

    private static Response createWithBadToken(String forwardedFor) {
        return from(forwardedFor)
                .header("Authorization", "Bearer " + UUID.randomUUID())
                .post(path("demo"));
    }

    private static RequestSpecification from(String forwardedFor) {
        return anonymousCall().header("X-Forwarded-For", forwardedFor);
    }

    private static String path(String app) {
        return "/prod/backend/" + app + "/challenge";
    }

    private static AmplifyBackendClient client(AtomicInteger attempts) {
        ExecutionInterceptor counting = new ExecutionInterceptor() {
            @Override
            public void beforeTransmission(Context.BeforeTransmission context, ExecutionAttributes attributes) {
                attempts.incrementAndGet();
            }
        };
        return AmplifyBackendClient.builder()
                .endpointOverride(URI.create(AwsCredentials.endpoint()))
                .region(Region.of(AwsCredentials.REGION))
                .credentialsProvider(StaticCredentialsProvider.create(
                        AwsBasicCredentials.create(AwsCredentials.ACCESS_KEY_ID, AwsCredentials.SECRET_ACCESS_KEY)))
                .overrideConfiguration(client -> client.retryStrategy(AwsRetryStrategy.standardRetryStrategy())
                        .addExecutionInterceptor(counting))
                .build();
    }
}
