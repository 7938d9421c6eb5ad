package dev.countersign.challenge;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.as;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import io.smallrye.config.SmallRyeConfigBuilder;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.logging.Handler;
import java.util.logging.Logger;
import java.util.stream.Stream;
import org.jboss.logmanager.ExtHandler;
import org.jboss.logmanager.ExtLogRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Keys and the codes derived from them. */
class ChallengeKeysTest {

    private static final String A =
            Base64.getEncoder().encodeToString("0123456789abcdef0123456789abcdef".getBytes(UTF_8));
    private static final String B =
            Base64.getEncoder().encodeToString("fedcba9876543210fedcba9876543210".getBytes(UTF_8));
    private static final String DEVELOPMENT = "Y291bnRlcnNpZ24gZGV2ZWxvcG1lbnQga2V5LCBub3QgZm9yIHByb2R1Y3Rpb24=";
    private static final UUID SESSION = UUID.fromString("01a20656-5f65-8de0-b011-706d346fddea");

    @Test
    void eachMistakeStopsTheStartWithWhatToSet() {
        refused(Map.of(), null, "No key is set. Set countersign.challenge.keys.<id>");
        refused(Map.of("k", "not base64!"), null, "countersign.challenge.keys.k is not base64");
        refused(Map.of("k", "c2hvcnQ="), null, "countersign.challenge.keys.k has 5 bytes and needs at least 32");
        refused(Map.of("k", DEVELOPMENT), null, "countersign.challenge.keys.k is the public development key");
        refused(Map.of("k", "A".repeat(43) + "="), null, "countersign.challenge.keys.k is all zeros");
        refused(Map.of("a", A, "b", B), null, "Set countersign.challenge.active-key to one of [a, b]");
        refused(Map.of("a", A), "c", "active-key names the key 'c', which is not among");
    }

    @Test
    void noMessageShowsAKey() {
        for (String key : new String[] {"secret-key-material", "c2VjcmV0LWtleS1tYXRlcmlhbA==", DEVELOPMENT}) {
            assertThatThrownBy(() -> new ChallengeKeys(config(Map.of("k", key), null), true))
                    .hasMessageNotContainingAny(key, "material", "secret")
                    .hasNoCause();
        }
    }

    @Test
    void developmentKeyServesInDevelopment() {
        assertThat(new ChallengeKeys(config(Map.of("d", DEVELOPMENT), null), false).activeKeyId())
                .isEqualTo("d");
    }

    @Test
    void rotatedKeyStillGivesTheSameCode() {
        String before = code(A, session()).reveal();
        ChallengeKeys rotated = keys(Map.of("a", A, "b", B), "b");
        assertThat(rotated.activeKeyId()).isEqualTo("b");
        assertThat(ChallengeCode.derive(rotated.key("a").orElseThrow(), session())
                        .reveal())
                .isEqualTo(before);
    }

    /** However many tokens of it are asked for. */
    @Test
    void keyThatIsGoneIsLoggedOnce() {
        ChallengeKeys without = keys(Map.of("b", B), "b");
        List<String> logged = new CopyOnWriteArrayList<>();
        Handler handler = new ExtHandler() {
            @Override
            protected void doPublish(ExtLogRecord line) {
                logged.add(String.format(line.getMessage(), line.getParameters()));
            }
        };
        Logger log = Logger.getLogger(ChallengeKeys.class.getName());
        log.addHandler(handler);
        try {
            for (int i = 0; i < 10; i++) {
                assertThat(without.key("a")).isEmpty();
                assertThat(without.key("b")).isPresent();
            }
        } finally {
            log.removeHandler(handler);
        }
        assertThat(logged).singleElement(as(STRING)).contains("countersign.challenge.keys.a");
    }

    /** Computed apart, with Python's hmac: the purpose, then each value after its length, 0xffffffff for an absent one. */
    @Test
    void codeIsTheKnownAnswer() {
        assertThat(code(A, session()).reveal()).isEqualTo("thMQzPXVbiX6c82_ULdjkN3WJAVdtByJxtfwVwkpupg");
        ChallengeSession full = session();
        full.subject = "ann";
        full.subjectIssuer = "https://issuer.example.com";
        full.context = "{\"for\":\"é\"}";
        full.codeChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        assertThat(code(A, full).reveal()).isEqualTo("9lQuwNEtYwLqHGQWPqhXMgSO9TmUXxdaevrUhM1Afms");
    }

    /** Also on whether a value is there: an absent one is not an empty one, and none slides into its neighbour. */
    @Test
    void codeDependsOnKeyAndOnAllThatARedeemTells() {
        Stream<Consumer<ChallengeSession>> changes = Stream.of(
                same -> {},
                session -> session.appId = "dem",
                session -> session.sessionId = UUID.randomUUID(),
                session -> session.salt = new byte[] {1},
                session -> session.salt = null,
                session -> session.appGeneration = 8,
                session -> session.createdAt = session.createdAt.plusMillis(1),
                session -> session.issuedTo = "you",
                session -> session.subject = "",
                session -> session.subject = "a",
                session -> session.subjectIssuer = "",
                session -> session.subjectIssuer = "a",
                session -> session.context = "",
                session -> session.context = "a",
                session -> session.codeChallenge = "",
                session -> session.codeChallenge = "a");
        List<String> codes = new ArrayList<>(changes.map(change -> {
                    ChallengeSession session = session();
                    change.accept(session);
                    return code(A, session).reveal();
                })
                .toList());
        codes.add(code(B, session()).reveal());
        assertThat(codes).hasSize(17).doesNotHaveDuplicates();
    }

    @Test
    void fingerprintDependsOnKeyCallAndAllThatTheReplyTells() {
        Stream<Consumer<ChallengeSession>> changes = Stream.of(
                same -> {},
                session -> session.createdAt = session.createdAt.plusMillis(1),
                session -> session.expiresAt = session.expiresAt.plusMillis(1),
                session -> session.issuedTo = "you",
                session -> session.subject = "a",
                session -> session.subjectIssuer = "a",
                session -> session.context = "a");
        RedeemAttempt attempt = new RedeemAttempt("demo", SESSION, "code", null, "me", "k");
        List<String> fingerprints = new ArrayList<>(changes.map(change -> {
                    ChallengeSession session = session();
                    change.accept(session);
                    return fingerprint(A, attempt, session);
                })
                .toList());
        fingerprints.add(fingerprint(B, attempt, session()));
        fingerprints.add(fingerprint(A, new RedeemAttempt("demo", SESSION, "codes", null, "me", "k"), session()));
        fingerprints.add(fingerprint(A, new RedeemAttempt("demo", SESSION, "code", null, "you", "k"), session()));
        fingerprints.add(fingerprint(A, new RedeemAttempt("demo", SESSION, "code", null, "me", "l"), session()));
        fingerprints.add(fingerprint(A, new RedeemAttempt("demo", SESSION, "ode", null, "me", "kc"), session()));
        fingerprints.add(fingerprint(A, new RedeemAttempt("demo", SESSION, "code", "", "me", "k"), session()));
        fingerprints.add(fingerprint(A, new RedeemAttempt("demo", SESSION, "code", "verifier", "me", "k"), session()));
        fingerprints.add(
                fingerprint(A, new RedeemAttempt("demo", SESSION, "codeverifier", null, "me", "k"), session()));
        assertThat(fingerprints).hasSize(15).doesNotHaveDuplicates();
    }

    @Test
    void codeMatchesItselfAloneAndHidesItself() {
        ChallengeCode code = code(A, session());
        assertThat(code.matches(code.reveal())).isTrue();
        assertThat(code.matches(code.reveal() + "A")).isFalse();
        assertThat(code.matches(code.reveal().substring(1))).isFalse();
        assertThat(code.matches("")).isFalse();
        assertThat(code.toString()).doesNotContain(code.reveal());
        assertThat(new ChallengeService.Challenge(session(), code).toString()).doesNotContain(code.reveal());
        assertThat(new RedeemAttempt("demo", SESSION, code.reveal(), "the-verifier", "me", null).toString())
                .doesNotContain(code.reveal(), "the-verifier");
    }

    private static ChallengeSession session() {
        ChallengeSession session = new ChallengeSession();
        session.appId = "demo";
        session.sessionId = SESSION;
        session.salt = new byte[16];
        session.appGeneration = 7;
        session.createdAt = Instant.parse("2026-11-28T01:00:00.123Z");
        session.expiresAt = Instant.parse("2026-11-28T01:05:00.123Z");
        session.issuedTo = "me";
        return session;
    }

    private static ChallengeCode code(String key, ChallengeSession session) {
        return ChallengeCode.derive(keys(Map.of("k", key), "k").activeKey(), session);
    }

    private static String fingerprint(String key, RedeemAttempt attempt, ChallengeSession session) {
        return Arrays.toString(attempt.fingerprint(keys(Map.of("k", key), "k").activeKey(), session));
    }

    private static void refused(Map<String, String> keys, @Nullable String active, String message) {
        assertThatThrownBy(() -> new ChallengeKeys(config(keys, active), true)).hasMessageContaining(message);
    }

    private static ChallengeKeys keys(Map<String, String> keys, String active) {
        return new ChallengeKeys(config(keys, active), true);
    }

    private static ChallengeConfig config(Map<String, String> keys, @Nullable String active) {
        SmallRyeConfigBuilder config = new SmallRyeConfigBuilder().withMapping(ChallengeConfig.class);
        keys.forEach((id, key) -> config.withDefaultValue("countersign.challenge.keys." + id, key));
        if (active != null) {
            config.withDefaultValue("countersign.challenge.active-key", active);
        }
        return config.build().getConfigMapping(ChallengeConfig.class);
    }
}
