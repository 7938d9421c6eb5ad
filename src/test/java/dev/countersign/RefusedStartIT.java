package dev.countersign;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.Program;
import dev.countersign.support.ServiceProcess;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** With a setting that would let in whom it must not, the packaged service doesn't start, and says what to set. */
class RefusedStartIT {

    private static PostgresServer database;

    @BeforeAll
    static void startDatabase() {
        database = PostgresServer.start();
    }

    @AfterAll
    static void stopDatabase() {
        database.close();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            countersign.challenge.keys.test        | Y291bnRlcnNpZ24gZGV2ZWxvcG1lbnQga2V5LCBub3QgZm9yIHByb2R1Y3Rpb24= | countersign.challenge.keys.test is the public development key. Set it to what
            countersign.access.anonymous-principal | sdk                   | countersign.access.anonymous-principal lets everybody in, and is for development only
            countersign.limit.remove-per-minute    | 0                     | countersign.limit.remove-per-minute must be greater than or equal to 1
            countersign.limit.registry-per-minute  | 60000001              | countersign.limit.registry-per-minute must be less than or equal to 60000000
            countersign.request-timeout            | PT0.1S                | countersign.request-timeout must be between PT0.2S and PT5M
            countersign.request-timeout            | PT6M                  | countersign.request-timeout must be between PT0.2S and PT5M
            quarkus.oidc.auth-server-url           | http://localhost:1    | Set quarkus.oidc.token.audience to
            quarkus.oidc.public-key                | MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu8QxadhOroIhdHEbRNj8UUkFO6PnsmbI7zPL724gvWZ5d83CXju40ZrcwtUIiQM+TPbg8sBrBzBb8QyHGIrzi9+sLCWznGYSofhFi8Tx0H785WifELoC8jh4oaXBczJqIC2Y9g6cwe+P5kWUBcnMSITZaYCG1KJMKuv+itrM9ueeUGeRwust2pFflvZSk42/vp++Qse7cfeRSERAsXUQcDViPMCO3ZgZUY5rEuBNA43+rrcsYvIQNfJ8cLiIvDOYQnqAcHlo7cijmi4/Jet6PljVbLFZlroRxWOjFrXFg7WV6xBb7b+XR3jJ5+wxWc03oZ36K3bsCBISHWmKfvAiLwIDAQAB | Set quarkus.oidc.token.audience to
            quarkus.oidc.people.auth-server-url    | http://localhost:1    | Set quarkus.oidc.people.token.audience to
            countersign.principals.sdk.subject     | operator              | a principal has a subject, and there is no issuer of tokens
            countersign.principals.sdk.secret-access-key | only-for-development-and-known-to-everybody | secret-access-key is the public development secret
            countersign.purge.evry                 | 1s                    | countersign.purge.evry is no setting; the nearest is countersign.purge.every
            countersign.chalenge.ttl               | PT1M                  | countersign.chalenge.ttl is no setting; the nearest is countersign.challenge.ttl
            countersign.apps.Demo.ttl-seconds      | 60                    | countersign.apps.Demo: app-id must match
            countersign.apps.demo.ttl-seconds      | 3601                  | countersign.apps.demo: ttl-seconds must be less than or equal to 3600
            countersign.apps.demo.create-token-per-minute | 0              | countersign.apps.demo: create-token-per-minute must be greater than or equal to 1
            quarkus.datasource.password            | post${user.home}gres  | quarkus.datasource.password has a ${…}, $$ or \\$, which Quarkus would replace
            """)
    void startEndsAndSaysWhatToSet(String setting, String value, String message) {
        Program.Run start = ServiceProcess.runToEnd(database, Map.of(setting, value));
        assertThat(start.exit()).as(start.out()).isNotZero();
        assertThat(start.out()).contains(message);
    }

    /** It would take the tokens of every service of the issuer. */
    @Test
    void anyAudienceEndsTheStart() {
        Program.Run start = ServiceProcess.runToEnd(
                database,
                Map.of("quarkus.oidc.auth-server-url", "http://localhost:1", "quarkus.oidc.token.audience", "any"));
        assertThat(start.exit()).as(start.out()).isNotZero();
        assertThat(start.out()).contains("Set quarkus.oidc.token.audience to");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            COUNTERSIGN_PRINCIPALS_CI_RUNNER_PERMISSION | issue     | COUNTERSIGN_PRINCIPALS_CI_RUNNER_PERMISSION is no setting; the nearest is COUNTERSIGN_PRINCIPALS_<NAME>_PERMISSIONS
            COUNTERSIGN_CHALENGE_ACTIVE_KEY             | k1        | COUNTERSIGN_CHALENGE_ACTIVE_KEY is no setting; the nearest is COUNTERSIGN_CHALLENGE_ACTIVE_KEY
            QUARKUS_OIDC_PEOPLE_AUTH_SERVER_URL         | http://localhost:1 | Set quarkus.oidc.people.token.audience to
            COUNTERSIGN_PRINCIPALS_SDK_SUBJECT_CLAIM    | email     | countersign.principals.sdk: issuer, claim and subject-claim need a subject
            COUNTERSIGN_PRINCIPALS_SDK_X_SECRET_ACCESS_KEY | ' a-secret-of-thirty-two-characters-or-more' | COUNTERSIGN_PRINCIPALS_SDK_X_SECRET_ACCESS_KEY begins or ends with white space
            """)
    void variableEndsTheStartAndSaysWhatToSet(String variable, String value, String message) {
        Program.Run start = ServiceProcess.runToEnd(database, Map.of(), Map.of(variable, value));
        assertThat(start.exit()).as(start.out()).isNotZero();
        assertThat(start.out()).contains(message);
    }
}
