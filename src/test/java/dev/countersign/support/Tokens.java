package dev.countersign.support;

import static dev.countersign.support.Contract.call;

import io.restassured.response.ValidatableResponse;
import io.restassured.specification.RequestSpecification;
import java.util.Map;

/** The operations, as a client calls them. */
public final class Tokens {

    private Tokens() {}

    /** The four members of a new token. */
    public static Map<String, String> create(String app) {
        return call().post(path(app))
                .then()
                .statusCode(200)
                .extract()
                .jsonPath()
                .getMap("", String.class, String.class);
    }

    /** The four members of a live token. */
    public static Map<String, String> read(String app, String session) {
        return get(app, session).statusCode(200).extract().jsonPath().getMap("", String.class, String.class);
    }

    public static ValidatableResponse get(String app, String session) {
        return call().get(path(app) + "/" + session).then();
    }

    public static ValidatableResponse remove(String app, String session) {
        return call().post(path(app) + "/" + session + "/remove").then();
    }

    public static ValidatableResponse redeem(String app, String session, String code) {
        return redeem(call(), app, session, code);
    }

    public static ValidatableResponse redeem(String app, String session, String code, String idempotencyKey) {
        return redeem(call().header("Idempotency-Key", idempotencyKey), app, session, code);
    }

    private static ValidatableResponse redeem(RequestSpecification call, String app, String session, String code) {
        return call.contentType("application/json")
                .body(Map.of("challengeCode", code))
                .post(path(app) + "/" + session + "/redeem")
                .then();
    }

    private static String path(String app) {
        return "/prod/backend/" + app + "/challenge";
    }
}
