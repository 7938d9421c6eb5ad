package dev.countersign.challenge;

import static dev.countersign.support.Contract.anonymousCall;
import static dev.countersign.support.Contract.call;
import static dev.countersign.support.Contract.callAs;
import static dev.countersign.support.Tokens.redeem;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.not;
import static org.hamcrest.Matchers.startsWith;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.countersign.support.RawHttp;
import dev.countersign.support.ServiceTest;
import dev.countersign.support.SignedRequest;
import dev.countersign.support.TestDatabase;
import dev.countersign.support.TokenIssuer;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.path.json.JsonPath;
import io.restassured.response.ValidatableResponse;
import io.restassured.specification.RequestSpecification;
import java.io.IOException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whom a code is for, and what else whoever creates it may say of it. */
@QuarkusTest
class SubjectTest extends ServiceTest {

    private static final String PATH = "/prod/backend/demo/challenge";
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void codeOfABearerIsForItsOwnSubjectAsItsIssuerKnowsIt() {
        String issuer = TokenIssuer.claims("issuer").getClaimValueAsString("iss");
        JsonPath redeemed = redeemed(created(callAs("issuer").post(PATH).then()));
        assertThat(redeemed.getString("issuedTo")).isEqualTo("issuer");
        assertThat(redeemed.getString("subject")).isEqualTo("issuer");
        assertThat(redeemed.getString("subjectIssuer")).isEqualTo(issuer);
        assertThat(redeemed.getMap("")).doesNotContainKey("context");

        JsonPath named = redeemed(created(create(callAs("issuer"), Map.of("subject", "issuer"))));
        assertThat(named.getString("subject")).isEqualTo("issuer");
        assertThat(named.getString("subjectIssuer")).isEqualTo(issuer);
    }

    @Test
    void delegateNamesAnySubjectAndNoIssuerVouchesForIt() {
        for (String subject : List.of("operator@example.com", "delegate")) {
            JsonPath redeemed = redeemed(created(create(callAs("delegate"), Map.of("subject", subject))));
            assertThat(redeemed.getString("issuedTo")).isEqualTo("delegate");
            assertThat(redeemed.getString("subject")).isEqualTo(subject);
            assertThat(redeemed.getMap("")).doesNotContainKey("subjectIssuer");
        }
    }

    @Test
    void delegateThatNamesNobodySpeaksForItself() {
        JsonPath redeemed = redeemed(created(callAs("delegate").post(PATH).then()));
        assertThat(redeemed.getString("subject")).isEqualTo("delegate");
        assertThat(redeemed.getMap("")).containsKey("subjectIssuer");
    }

    @Test
    void withoutDelegateNobodyNamesAnybodyElse() throws IOException {
        assertRefused(create(callAs("issuer"), Map.of("subject", "operator@example.com")));
        assertRefused(create(callAs("issuer"), Map.of("subject", "Issuer")));
        for (String subject : List.of("operator@example.com", "sdk")) {
            assertThat(SignedRequest.of("POST", PATH, "{\"subject\":\"" + subject + "\"}")
                            .with("Content-Type", _ -> "application/json")
                            .send()
                            .header("x-amzn-ErrorType"))
                    .isEqualTo("AccessDeniedException");
        }
    }

    /** An access key says which principal calls, and nothing of a person. */
    @Test
    void codeOfAnAccessKeyIsForNobodyInParticular() {
        RequestSpecification call = anonymousCall();
        SignedRequest.of("POST", PATH, "").headers().forEach(call::header);
        // The port is part of what is signed.
        call.header("Host", "localhost");
        JsonPath redeemed = redeemed(created(call.post(PATH).then()));
        assertThat(redeemed.getString("issuedTo")).isEqualTo("sdk");
        assertThat(redeemed.getMap("")).doesNotContainKeys("subject", "subjectIssuer", "context");
    }

    @Test
    void contextComesBackAsItWasGiven() {
        Map<String, String> context = new LinkedHashMap<>();
        context.put("zulu", "\"quoted\" \\ </script>\n\u2028");
        context.put("Größe 🖋", "שלום 🏳️‍🌈");
        context.put("alpha", "");
        JsonPath redeemed = redeemed(created(create(call(), Map.of("context", context))));
        assertThat(redeemed.getMap("context", String.class, String.class)).isEqualTo(context);
        assertThat(redeemed.getMap("context").keySet()).containsExactlyElementsOf(context.keySet());

        assertThat(redeemed(created(create(call(), Map.of("context", Map.of()))))
                        .getMap(""))
                .containsEntry("context", Map.of());
    }

    @Test
    void subjectAndContextAreTakenUpToTheirLimits() {
        for (String subject : List.of("x", "🖋".repeat(256), "a".repeat(256), " \u0001\n ü\uffff")) {
            assertThat(redeemed(created(create(call(), Map.of("subject", subject))))
                            .getString("subject"))
                    .isEqualTo(subject);
        }
        // 16 names of 64 characters, the last of which are 4 bytes each.
        Map<String, String> most = members(15, "n".repeat(62), "");
        most.put("🖋".repeat(16), "");
        assertThat(redeemed(created(create(call(), Map.of("context", most)))).getMap("context"))
                .isEqualTo(most);
        for (Map<String, String> full :
                List.of(Map.of("a", "x".repeat(1023)), Map.of("🖋".repeat(64), "ü".repeat(384)))) {
            assertThat(redeemed(created(create(call(), Map.of("context", full))))
                            .getMap("context"))
                    .isEqualTo(full);
        }
    }

    @Test
    void whatIsBeyondThemIs400ThatNamesTheMember() {
        for (String subject : List.of("", "a".repeat(257), "🖋".repeat(257))) {
            assertBad("subject", create(call(), Map.of("subject", subject)));
        }
        List<Map<String, String>> contexts = List.of(
                members(17, "n", ""),
                Map.of("", "x"),
                Map.of("n".repeat(65), "x"),
                Map.of("a", "x".repeat(1024)),
                Map.of("a", "ü".repeat(512)));
        for (Map<String, String> context : contexts) {
            assertBad("context", create(call(), Map.of("context", context)));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "subject {\"subject\":\"a\\u0000b\"}",
                "subject {\"subject\":\"\\ud83d\"}",
                "subject {\"subject\":\"\\udd8b\\ud83d\"}",
                "subject {\"subject\":7}",
                "subject {\"subject\":null}",
                "subject {\"subject\":[\"a\"]}",
                "context {\"context\":{\"a\":\"\\u0000\"}}",
                "context {\"context\":{\"a\":\"\\ud83d\"}}",
                "context {\"context\":{\"\\u0000\":\"a\"}}",
                "context {\"context\":{\"a\":null}}",
                "context {\"context\":{\"a\":7}}",
                "context {\"context\":{\"a\":true}}",
                "context {\"context\":{\"a\":{}}}",
                "context {\"context\":[]}",
                "context {\"context\":\"\"}",
                "context {\"context\":null}",
                "ttlSeconds {\"ttlSeconds\":0}",
                "ttlSeconds {\"ttlSeconds\":-1}",
                "ttlSeconds {\"ttlSeconds\":3601}",
                "ttlSeconds {\"ttlSeconds\":1.5}",
                "ttlSeconds {\"ttlSeconds\":\"60\"}",
                "codeChallenge {\"codeChallenge\":\"\"}",
                "codeChallenge {\"codeChallenge\":\"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=\"}",
                "codeChallenge {\"codeChallenge\":\"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM\"}",
                "codeChallenge {\"codeChallenge\":\"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c\"}",
                "Subject {\"Subject\":\"a\"}",
                "subjectIssuer {\"subjectIssuer\":\"https://issuer.example.com\"}",
                "codeChallengeMethod {\"codeChallengeMethod\":\"S256\"}"
            })
    void malformedBodyIs400ThatNamesTheMember(String nameAndBody) {
        String name = nameAndBody.substring(0, nameAndBody.indexOf(' '));
        assertBad(name, create(call(), nameAndBody.substring(name.length() + 1)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", "[]", "\"\"", "7", "{", "{}{}", " ", "{\"subject\":\"a\",\"subject\":\"a\"}"})
    void bodyThatIsNoObjectIs400(String body) {
        create(call(), body).statusCode(400).header("x-amzn-ErrorType", equalTo("BadRequestException"));
    }

    /** Jackson refuses it, and says no more. */
    @ParameterizedTest
    @ValueSource(strings = {"{\"\\ud83d\":1}", "{\"context\":{\"\\ud83d\":\"a\"}}", "{\"context\":{\"\\ud83d\":7}}"})
    void nameThatIsHalfACharacterIs400(String body) {
        create(call(), body).statusCode(400);
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/plain", "application/x-www-form-urlencoded", "application/x-amz-json-1.1"})
    void bodyOfAnotherTypeIs415(String type) throws IOException {
        assertThat(RawHttp.sendBody("POST", PATH, "{}", false, "Content-Type: " + type)
                        .status())
                .isEqualTo(415);
    }

    @Test
    void tokenLivesAsLongAsItsCreatorSays() {
        Map<String, String> token = created(create(call(), Map.of("ttlSeconds", 7)));
        assertThat(Long.parseLong(token.get("ttl")) - Instant.now().getEpochSecond())
                .isBetween(3L, 7L);
        JsonPath redeemed = redeemed(token);
        assertThat(OffsetDateTime.parse(redeemed.getString("expiresAt")))
                .isEqualTo(OffsetDateTime.parse(redeemed.getString("issuedAt")).plusSeconds(7));
    }

    @Test
    void ttlAboveTheAppsIs400ThatNamesIt() {
        created(create(call(), Map.of("ttlSeconds", 300)));
        create(call(), Map.of("ttlSeconds", 301))
                .statusCode(400)
                .body("message", equalTo("ttlSeconds must be at most 300, as for all tokens of this app"));
        TestDatabase.register("brisk", 20);
        create(call(), "/prod/backend/brisk/challenge", "{\"ttlSeconds\":20}").statusCode(200);
        create(call(), "/prod/backend/brisk/challenge", "{\"ttlSeconds\":21}")
                .statusCode(400)
                .body("message", startsWith("ttlSeconds must be at most 20"));
        create(call(), "/prod/backend/nosuchapp/challenge", "{\"ttlSeconds\":3600}")
                .statusCode(404)
                .body("resourceType", equalTo("app"));
        assertThat(TestDatabase.query(
                        "SELECT count(*) FROM challenge_session WHERE expires_at > created_at + interval '20 s'"
                                + " AND app_id = 'brisk'"))
                .containsExactly("0");
    }

    /** They share statements. */
    @Test
    void requestsAtOnceGetWhatEachAskedFor() {
        List<ValidatableResponse> replies = IntStream.range(0, 60)
                .parallel()
                .mapToObj(i -> i % 4 == 0
                        ? call().post(PATH).then()
                        : create(call(), Map.of("ttlSeconds", i % 4 == 1 ? 301 : i, "subject", "s" + i)))
                .toList();
        for (int i = 0; i < replies.size(); i++) {
            if (i % 4 == 1) {
                replies.get(i).statusCode(400).body("message", containsString("300"));
            } else if (i % 4 > 1) {
                assertThat(redeemed(created(replies.get(i))).getString("subject"))
                        .isEqualTo("s" + i);
            } else {
                created(replies.get(i));
            }
        }
    }

    /** Whoever may write rows can't make a code say anything else. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "subject = 'somebody-else'",
                "subject = NULL",
                "subject = ''",
                "subject_issuer = 'https://issuer.example.com'",
                "context = '{\"returnTo\":\"/builds/18\"}'",
                "context = '{}'",
                "context = NULL",
                "code_challenge = NULL",
                "code_challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'"
            })
    void codeOfAChangedRowIsWrong(String change) {
        Map<String, Object> asked = Map.of("subject", "operator", "context", Map.of("returnTo", "/builds/17"));
        Map<String, String> same = created(create(call(), asked));
        redeem("demo", same.get("sessionId"), same.get("challengeCode")).statusCode(200);

        Map<String, Object> bound = new LinkedHashMap<>(asked);
        if (change.startsWith("code_challenge")) {
            bound.put("codeChallenge", VerifierTest.CHALLENGE);
        }
        Map<String, String> token = created(create(call(), bound));
        TestDatabase.execute("UPDATE challenge_session SET "
                + change.replace("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", VerifierTest.OTHER_CHALLENGE)
                + " WHERE session_id = '" + token.get("sessionId") + "'");
        VerifierTest.redeem(token, change.endsWith("cM'") ? VerifierTest.OTHER_VERIFIER : null, null)
                .statusCode(404);
    }

    private static Map<String, String> members(int count, String prefix, String value) {
        return IntStream.range(0, count)
                .boxed()
                .collect(Collectors.toMap(
                        i -> prefix + Character.toString('a' + i), _ -> value, (a, _) -> a, LinkedHashMap::new));
    }

    private static void assertRefused(ValidatableResponse reply) {
        reply.statusCode(403)
                .header("x-amzn-ErrorType", equalTo("AccessDeniedException"))
                .body("message", containsString("delegate"))
                .body("message", not(containsString("operator")));
    }

    private static void assertBad(String member, ValidatableResponse reply) {
        reply.statusCode(400)
                .header("x-amzn-ErrorType", equalTo("BadRequestException"))
                .body("message", startsWith(member));
    }

    static ValidatableResponse create(RequestSpecification call, Map<String, Object> body) {
        try {
            return create(call, JSON.writeValueAsString(body));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static ValidatableResponse create(RequestSpecification call, String body) {
        return create(call, PATH, body);
    }

    private static ValidatableResponse create(RequestSpecification call, String path, String body) {
        return call.header("Content-Type", "application/json")
                .body(body.getBytes(UTF_8))
                .post(path)
                .then();
    }

    static Map<String, String> created(ValidatableResponse reply) {
        return reply.statusCode(200).extract().jsonPath().getMap("", String.class, String.class);
    }

    private static JsonPath redeemed(Map<String, String> token) {
        return redeem("demo", token.get("sessionId"), token.get("challengeCode"))
                .statusCode(200)
                .extract()
                .jsonPath();
    }
}
