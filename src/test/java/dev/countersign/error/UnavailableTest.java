package dev.countersign.error;

import static dev.countersign.support.Contract.call;
import static org.hamcrest.Matchers.equalTo;

import dev.countersign.support.ServiceTest;
import dev.countersign.support.TestDatabase;
import io.quarkus.test.junit.QuarkusTest;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What a caller is told of a failure that is ours: to try again, and nothing of the inside. */
@QuarkusTest
class UnavailableTest extends ServiceTest {

    @Test
    void failureOfTheDatabaseIsToldAsAwsTellsIt() {
        TestDatabase.execute("ALTER TABLE app RENAME TO app_gone");
        try {
            call().get("/prod/apps")
                    .then()
                    .statusCode(504)
                    .header("x-amzn-ErrorType", equalTo("GatewayTimeoutException"))
                    .header("Retry-After", equalTo("1"))
                    .header("Cache-Control", equalTo("no-store"))
                    .body("", equalTo(Map.of("message", "The service is temporarily unavailable. Try again.")));
        } finally {
            TestDatabase.execute("ALTER TABLE app_gone RENAME TO app");
        }
        call().get("/prod/apps").then().statusCode(200);
    }
}
