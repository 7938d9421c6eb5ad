package dev.countersign.contract;

import static dev.countersign.support.RawHttp.assertError;
import static dev.countersign.support.RawHttp.assertErrorBody;
import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.Callers;
import dev.countersign.support.RawHttp;
import dev.countersign.support.RawHttp.Reply;
import dev.countersign.support.ServiceTest;
import dev.countersign.support.TokenIssuer;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests that no well-meaning client sends, or not on purpose; each gets an error in the contract's shape. */
abstract class OddRequests extends ServiceTest {

    private static final String SESSION = "01a20656-5f65-8de0-b011-706d346fddea";
    private static final String LONG = "a".repeat(10_000);

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            POST   | /                                             | 404 | NotFoundException
            GET    | /nope                                         | 404 | NotFoundException
            GET    | /prod                                         | 404 | NotFoundException
            GET    | /prod/backend                                 | 404 | NotFoundException
            POST   | /prod/backend/demo                            | 404 | NotFoundException
            POST   | /prod/backend/demo/challenge/x/y/z            | 404 | NotFoundException
            GET    | /prod/backend/demo/challenge                  | 405 | MethodNotAllowedException
            PUT    | /prod/backend/demo/challenge                  | 405 | MethodNotAllowedException
            DELETE | /prod/backend/demo/challenge/SESSION          | 405 | MethodNotAllowedException
            POST   | /prod/backend/demo/challenge/SESSION          | 405 | MethodNotAllowedException
            GET    | /prod/backend/demo/challenge/SESSION/remove   | 405 | MethodNotAllowedException
            GET    | /prod/backend/demo/challenge/SESSION/redeem   | 405 | MethodNotAllowedException
            TRACE  | /prod/backend/demo/challenge                  | 405 | MethodNotAllowedException
            POST   | /prod/backend//challenge                      | 400 | BadRequestException
            POST   | /prod/backend/./challenge                     | 400 | BadRequestException
            POST   | /prod/backend/../challenge                    | 400 | BadRequestException
            POST   | /prod/backend/%2e%2e/challenge                | 400 | BadRequestException
            POST   | /prod/backend/demo/challenge/../challenge     | 400 | BadRequestException
            POST   | /prod/backend/demo/./challenge                | 400 | BadRequestException
            POST   | /prod/backend/demo/challenge/%2E              | 400 | BadRequestException
            GET    | /prod/apps/x/.%2e/demo                        | 400 | BadRequestException
            GET    | /prod/apps/..                                 | 400 | BadRequestException
            GET    | /nope/../prod/apps                            | 400 | BadRequestException
            POST   | /prod/backend/LONG/challenge                  | 400 | BadRequestException
            POST   | /prod/backend/%zz/challenge                   | 400 | BadRequestException
            POST   | /prod/backend/%/challenge                     | 400 | BadRequestException
            POST   | /prod/backend/demo/challenge%                 | 400 | BadRequestException
            GET    | /%zz                                          | 400 | BadRequestException
            POST   | /prod/backend/a%00b/challenge                 | 400 | BadRequestException
            POST   | /prod/backend/%00/challenge                   | 400 | BadRequestException
            POST   | /prod/backend/%c3%28/challenge                | 400 | BadRequestException
            POST   | /prod/backend/d%c3%a9mo/challenge             | 400 | BadRequestException
            POST   | /prod/backend/démo/challenge                  | 400 | BadRequestException
            POST   | /prod/backend/DEMO/challenge                  | 400 | BadRequestException
            POST   | /prod/backend/a%2Fb/challenge                 | 400 | BadRequestException
            POST   | /prod/backend/a%20b/challenge                 | 400 | BadRequestException
            POST   | /prod/backend/a+b/challenge                   | 400 | BadRequestException
            POST   | /prod/backend/100%25/challenge                | 400 | BadRequestException
            POST   | /prod/backend/demo';--/challenge              | 400 | BadRequestException
            GET    | /prod/apps/demo;a=b                           | 400 | BadRequestException
            GET    | /prod/apps/;                                  | 400 | BadRequestException
            DELETE | /prod/apps;a                                  | 400 | BadRequestException
            GET    | /prod/backend/demo/challenge/x                | 400 | BadRequestException
            GET    | /prod/backend/demo/challenge/%00              | 400 | BadRequestException
            GET    | /prod/backend/demo/challenge/LONG             | 400 | BadRequestException
            POST   | /prod/backend/demo/challenge/x/remove         | 400 | BadRequestException
            POST   | /prod/backend/nosuchapp/challenge             | 404 | NotFoundException
            GET    | /prod/backend/demo/challenge/SESSION          | 404 | NotFoundException
            GET    | /prod/backend/demo/challenge/SESSION?x=%zz&y  | 404 | NotFoundException
            """)
    void oddPathOrMethodIsAnErrorOfTheContract(String method, String path, int status, String type) throws IOException {
        Reply reply = RawHttp.send(method, path.replace("SESSION", SESSION).replace("LONG", LONG));
        assertError(reply, status, type);
        if (path.startsWith("/prod")) {
            assertThat(reply.header("Cache-Control")).isEqualTo("no-store");
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            GET      | /prod/backend/demo/challenge                | OPTIONS, POST
            PATCH    | /prod//backend/demo/challenge?a=b           | OPTIONS, POST
            FOO      | /prod/backend/demo/challenge/SESSION        | GET, HEAD, OPTIONS
            GET      | /prod/backend/demo/challenge/SESSION/redeem | OPTIONS, POST
            TRACE    | /prod/apps                                  | GET, HEAD, OPTIONS
            PROPFIND | /prod/apps/demo                             | DELETE, GET, HEAD, OPTIONS, PUT
            """)
    void methodThatThePathLacksIsToldWhichItHas(String method, String path, String allow) throws IOException {
        Reply reply = RawHttp.send(method, path.replace("SESSION", SESSION));
        assertError(reply, 405, "MethodNotAllowedException");
        assertThat(reply.header("Allow")).isEqualTo(allow);
    }

    @ParameterizedTest
    @ValueSource(strings = {"Idempotency-Key: ", "Idempotency-Key: a\r\nIdempotency-Key: a"})
    void keyThatWouldBeIgnoredIsRefused(String header) throws IOException {
        Reply reply = RawHttp.sendBody(
                "POST",
                "/prod/backend/demo/challenge/" + SESSION + "/redeem",
                "{\"challengeCode\":\"x\"}",
                false,
                "Content-Type: application/json",
                header);
        assertError(reply, 400, "BadRequestException");
    }

    @Test
    void twoHeadersWhereOneDecidesAreRefused() throws IOException {
        String path = "/prod/backend/demo/challenge";
        assertError(
                RawHttp.send("POST", path, "Origin: https://console.example.com", "Origin: https://evil.example"),
                403,
                "AccessDeniedException");
        assertError(
                RawHttp.send("POST", path, "Authorization: " + Callers.bearer(), "Authorization: Bearer x"),
                403,
                "IncompleteSignatureException");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            TRACE   | /prod/backend/demo/challenge | application/x-www-form-urlencoded | 405
            TRACE   | /nope                        | application/x-www-form-urlencoded | 404
            OPTIONS | /prod/backend/demo/challenge | application/x-www-form-urlencoded | 200
            OPTIONS | /prod/backend/demo/challenge | multipart/form-data; boundary=x   | 200
            POST    | /prod/backend/demo/challenge/SESSION/remove | application/x-www-form-urlencoded | 404
            POST    | /prod/backend/demo/challenge/SESSION/remove | multipart/form-data | 404
            POST    | /prod/backend/demo/challenge | application/x-www-form-urlencoded | 415
            POST    | /prod/backend/demo/challenge | multipart/form-data               | 415
            PUT     | /prod/apps/demo              | application/x-www-form-urlencoded | 415
            PUT     | /prod/apps/demo              | multipart/form-data               | 415
            """)
    void formIsABodyAsAnyOther(String method, String path, String type, int status) throws IOException {
        Reply reply =
                RawHttp.sendBody(method, path.replace("SESSION", SESSION), "a=%zz&b", false, "Content-Type: " + type);
        assertThat(reply.status()).as(reply.toString()).isEqualTo(status);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"ttlSeconds\":60,\"ttlSeconds\":61}",
                "{\"ttlSeconds\":60,\"ttlSeconds\":60}",
                "{\"ttlSeconds\":null}",
                "{\"displayName\":null}"
            })
    void memberThatComesTwiceOrIsNullIsRefused(String body) throws IOException {
        assertError(
                RawHttp.sendBody("PUT", "/prod/apps/demo", body, false, "Content-Type: application/json"),
                400,
                "BadRequestException");
    }

    @Test
    void pathWithADoubledSlashAsTheJavaScriptClientSendsItWorks() throws IOException {
        assertThat(RawHttp.send("POST", "/prod//backend/demo/challenge").status())
                .isEqualTo(200);
    }

    @ParameterizedTest
    @CsvSource({
        "POST, /prod/backend/UPPER/challenge",
        "GET, /prod/apps/UPPER",
        "DELETE, //prod//apps//UPPER/",
        "PUT, /prod/apps/a%2Db"
    })
    void appIdThatCouldNeverBeOneIsToldToWhomeverAsks(String method, String path) throws IOException {
        assertError(RawHttp.send(method, path, "Authorization: Bearer x"), 400, "BadRequestException");
    }

    @ParameterizedTest
    @ValueSource(strings = {"//prod/backend/demo/challenge", "/%70rod/backend/demo/challenge"})
    void pathThatIsReadAsOneOfTheApiIsNotCached(String path) throws IOException {
        Reply reply = RawHttp.send("POST", path);
        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.header("Cache-Control")).isEqualTo("no-store");
    }

    @Test
    void queryIsIgnored() throws IOException {
        assertThat(RawHttp.send("POST", "/prod/backend/demo/challenge?a=b&c").status())
                .isEqualTo(200);
    }

    @Test
    void acceptThatExcludesJsonIs406() throws IOException {
        assertError(
                RawHttp.send("POST", "/prod/backend/demo/challenge", "Accept: text/html"),
                406,
                "NotAcceptableException");
        assertThat(RawHttp.send("POST", "/prod/backend/demo/challenge", "Accept: */*")
                        .status())
                .isEqualTo(200);
    }

    @Test
    void malformedAcceptIsAnErrorOfTheContract() throws IOException {
        Reply reply = RawHttp.send("POST", "/prod/backend/demo/challenge", "Accept: ///;;q=x");
        assertThat(reply.status()).isIn(400, 406);
        assertErrorBody(reply);
    }

    @Test
    void bodyOfAMegabyteIs413() throws IOException {
        assertError(
                RawHttp.sendBody("POST", "/prod/backend/demo/challenge", "x".repeat(1_000_000), false),
                413,
                "RequestEntityTooLargeException");
    }

    @Test
    void bodyOfAMegabyteWhoseLengthIsNotToldIs413WhereTheBodyMatters() throws IOException {
        assertError(
                RawHttp.sendBody(
                        "POST",
                        "/prod/backend/demo/challenge/" + SESSION + "/redeem",
                        "{\"challengeCode\":\"" + "x".repeat(1_000_000) + "\"}",
                        true,
                        "Content-Type: application/json"),
                413,
                "RequestEntityTooLargeException");
    }

    @Test
    void headIsAnsweredAsGetIsButForTheBody() throws IOException {
        String stranger = "Authorization: Bearer " + TokenIssuer.token("stranger");
        for (String path : List.of("/prod/apps/demo", "/prod/apps/nosuchapp", "/prod/backend/demo/challenge/x")) {
            assertHead(path, RawHttp.send("GET", path));
            assertHead(path, RawHttp.send("GET", path, stranger), stranger);
        }
        assertThat(RawHttp.send("HEAD", "/prod/apps/demo").status()).isEqualTo(200);
        assertThat(RawHttp.send("HEAD", "/prod/apps/demo", stranger).status()).isEqualTo(403);
    }

    private static void assertHead(String path, Reply get, String... headers) throws IOException {
        Reply head = RawHttp.send("HEAD", path, headers);
        assertThat(head.status()).as(path).isEqualTo(get.status());
        assertThat(head.header("x-amzn-ErrorType")).isEqualTo(get.header("x-amzn-ErrorType"));
        assertThat(head.body()).isEmpty();
    }

    @Test
    void smallBodyWhereNoneBelongsIsIgnored() throws IOException {
        assertThat(RawHttp.sendBody("POST", "/prod/backend/demo/challenge", "{}", false)
                        .status())
                .isEqualTo(200);
    }
}
