package dev.countersign.access;

import static dev.countersign.support.Callers.TESTER;
import static dev.countersign.support.Contract.anonymousCall;
import static dev.countersign.support.TokenIssuer.claims;
import static dev.countersign.support.TokenIssuer.sign;
import static dev.countersign.support.TokenIssuer.token;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.startsWith;

import dev.countersign.support.ServiceTest;
import dev.countersign.support.TokenIssuer;
import io.quarkus.test.junit.QuarkusTest;
import io.restassured.response.ValidatableResponse;
import java.time.Duration;
import java.util.Base64;
import org.jose4j.jwk.JsonWebKeySet;
import org.jose4j.jwk.PublicJsonWebKey;
import org.jose4j.jwk.RsaJsonWebKey;
import org.jose4j.jwk.RsaJwkGenerator;
import org.jose4j.jws.AlgorithmIdentifiers;
import org.jose4j.jws.JsonWebSignature;
import org.jose4j.jwt.JwtClaims;
import org.jose4j.keys.HmacKey;
import org.junit.jupiter.api.Test;

/** Bearer tokens of a real issuer, good and bad. */
@QuarkusTest
class JwtTest extends ServiceTest {

    @Test
    void subjectOfAGoodTokenIsThePrincipal() {
        createWith(token(TESTER)).statusCode(200);
    }

    @Test
    void subjectThatNobodyHasMayDoNothing() {
        createWith(token("stranger")).statusCode(403).header("x-amzn-ErrorType", equalTo("AccessDeniedException"));
    }

    @Test
    void expiredTokenIsRefused() {
        JwtClaims claims = claims(TESTER);
        claims.setExpirationTimeMinutesInTheFuture(-1);
        assertRefused(sign(claims));
    }

    @Test
    void tokenWithoutAnExpiryIsRefused() {
        JwtClaims claims = claims(TESTER);
        claims.unsetClaim("exp");
        assertRefused(sign(claims));
    }

    @Test
    void tokenThatIsNotYetValidIsRefused() {
        JwtClaims claims = claims(TESTER);
        claims.setNotBeforeMinutesInThePast(-5);
        assertRefused(sign(claims));
    }

    @Test
    void tokenForAnotherAudienceIsRefused() {
        JwtClaims claims = claims(TESTER);
        claims.setAudience("another-service");
        assertRefused(sign(claims));
        claims.unsetClaim("aud");
        assertRefused(sign(claims));
    }

    @Test
    void tokenOfAnotherIssuerIsRefused() {
        JwtClaims claims = claims(TESTER);
        claims.setIssuer("https://issuer.example.com");
        assertRefused(sign(claims));
    }

    @Test
    void unsignedTokenIsRefused() {
        Base64.Encoder base64 = Base64.getUrlEncoder().withoutPadding();
        assertRefused(base64.encodeToString("{\"alg\":\"none\"}".getBytes(UTF_8)) + "."
                + base64.encodeToString(claims(TESTER).toJson().getBytes(UTF_8)) + ".");
    }

    @Test
    void tokenSignedWithThePublicKeyAsASecretIsRefused() throws Exception {
        PublicJsonWebKey key = (PublicJsonWebKey)
                new JsonWebKeySet(TokenIssuer.publicKeySet()).getJsonWebKeys().getFirst();
        JsonWebSignature token = new JsonWebSignature();
        token.setPayload(claims(TESTER).toJson());
        token.setAlgorithmHeaderValue(AlgorithmIdentifiers.HMAC_SHA256);
        token.setKeyIdHeaderValue(key.getKeyId());
        token.setKey(new HmacKey(key.getPublicKey().getEncoded()));
        assertRefused(token.getCompactSerialization());
    }

    @Test
    void tokenSignedByAnotherAlgorithmIsRefused() {
        assertRefused(TokenIssuer.sign(claims(TESTER), AlgorithmIdentifiers.RSA_USING_SHA512));
        assertRefused(TokenIssuer.sign(claims(TESTER), AlgorithmIdentifiers.RSA_PSS_USING_SHA256));
    }

    /** The issuer, asked, would say of any token that it is good. */
    @Test
    void issuerIsNotAskedAboutATokenThatCannotBeVerified() throws Exception {
        assertRefused("an-opaque-token");
        RsaJsonWebKey unknown = RsaJwkGenerator.generateJwk(2048);
        JwtClaims claims = claims(TESTER);
        claims.setAudience("another-service");
        JsonWebSignature token = new JsonWebSignature();
        token.setPayload(claims.toJson());
        token.setAlgorithmHeaderValue(AlgorithmIdentifiers.RSA_USING_SHA256);
        token.setKeyIdHeaderValue("unknown");
        token.setKey(unknown.getPrivateKey());
        assertRefused(token.getCompactSerialization());
        assertThat(TokenIssuer.introspections()).isZero();
    }

    @Test
    void tamperedTokenIsRefused() {
        String good = token(TESTER);
        assertRefused(good.substring(0, good.lastIndexOf('.') + 1) + "AAAA");
        assertRefused(good.replaceFirst("\\.", ".e30"));
        assertRefused("not-a-token");
        assertRefused("");
    }

    @Test
    void keyThatTheIssuerRotatesToIsTaken() {
        String before = token(TESTER);
        TokenIssuer.rotate();
        // The service asks the issuer again for a key that it doesn't know, but not at every request.
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> createWith(token(TESTER)).statusCode(200));
        assertRefused(before);
        // Other tests go on with a token of their own.
        System.setProperty("countersign.test.token", token(TESTER));
    }

    private static void assertRefused(String token) {
        createWith(token)
                .statusCode(401)
                .header("x-amzn-ErrorType", equalTo("UnauthorizedException"))
                .header("WWW-Authenticate", startsWith("Bearer"))
                .body("message", startsWith("The bearer token was refused"));
    }

    private static ValidatableResponse createWith(String token) {
        return anonymousCall()
                .header("Authorization", "Bearer " + token)
                .post("/prod/backend/demo/challenge")
                .then();
    }
}
