package dev.countersign.challenge;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.smallrye.config.SmallRyeConfigBuilder;
import java.util.Base64;
import java.util.Map;
import java.util.UUID;
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
    private static final byte[] SALT = new byte[16];

    @Test
    void eachMistakeStopsTheStartWithWhatToSet() {
        refused(Map.of(), null, "No key is set. Set countersign.challenge.keys.<id>");
        refused(Map.of("k", "not base64!"), null, "countersign.challenge.keys.k is not base64");
        refused(Map.of("k", "c2hvcnQ="), null, "countersign.challenge.keys.k has 5 bytes and needs at least 32");
        refused(Map.of("k", DEVELOPMENT), null, "countersign.challenge.keys.k is the public development key");
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
        String before = ChallengeCode.derive(keys(Map.of("a", A), "a").key("a"), "demo", SESSION, SALT)
                .reveal();
        ChallengeKeys rotated = keys(Map.of("a", A, "b", B), "b");
        assertThat(rotated.activeKeyId()).isEqualTo("b");
        assertThat(ChallengeCode.derive(rotated.key("a"), "demo", SESSION, SALT).reveal())
                .isEqualTo(before);
    }

    @Test
    void keyThatIsGoneIsNamedWithoutACode() {
        assertThatThrownBy(() -> keys(Map.of("b", B), "b").key("a"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("'a'");
    }

    /** Computed apart, with Python's hmac: the purpose, then app and session with their lengths, then the salt. */
    @Test
    void codeIsTheKnownAnswer() {
        assertThat(code(A, "demo", SESSION, SALT).reveal()).isEqualTo("SPlF_VI6quk_UJla3YU83yDd5SH2Uw_PKAG9BF7lYUg");
    }

    @Test
    void codeDependsOnKeyAppSessionAndSalt() {
        byte[] otherSalt = new byte[16];
        otherSalt[15] = 1;
        assertThat(new String[] {
                    code(A, "demo", SESSION, SALT).reveal(),
                    code(B, "demo", SESSION, SALT).reveal(),
                    code(A, "dem", SESSION, SALT).reveal(),
                    code(A, "demo", UUID.randomUUID(), SALT).reveal(),
                    code(A, "demo", SESSION, otherSalt).reveal()
                })
                .doesNotHaveDuplicates();
    }

    @Test
    void codeMatchesItselfAloneAndHidesItself() {
        ChallengeCode code = code(A, "demo", SESSION, SALT);
        assertThat(code.matches(code.reveal())).isTrue();
        assertThat(code.matches(code.reveal() + "A")).isFalse();
        assertThat(code.matches(code.reveal().substring(1))).isFalse();
        assertThat(code.matches("")).isFalse();
        assertThat(code.toString()).doesNotContain(code.reveal());
        assertThat(new Challenge("demo", SESSION, java.time.Instant.EPOCH, code).toString())
                .doesNotContain(code.reveal());
        assertThat(new RedeemAttempt("demo", SESSION, code.reveal(), "me", null).toString())
                .doesNotContain(code.reveal());
    }

    private static ChallengeCode code(String key, String app, UUID session, byte[] salt) {
        return ChallengeCode.derive(keys(Map.of("k", key), "k").key("k"), app, session, salt);
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
