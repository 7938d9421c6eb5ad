package dev.countersign.support;

import io.restassured.RestAssured;
import java.util.Map;

/** As whom the AWS clients of the tests call the service, and where they find it. */
public final class AwsCredentials {

    public static final String ACCESS_KEY_ID = "AKIACOUNTERSIGNTEST1";
    public static final String SECRET_ACCESS_KEY = "test-only-secret-access-key-of-forty-chars";
    public static final String REGION = "us-east-1";

    private AwsCredentials() {}

    /** Makes the service know them: the principal {@code sdk}, which may do everything. */
    static Map<String, String> settings() {
        return Map.of(
                "countersign.principals.sdk.access-key-id",
                ACCESS_KEY_ID,
                "countersign.principals.sdk.secret-access-key",
                SECRET_ACCESS_KEY,
                "countersign.principals.sdk.apps",
                "*",
                "countersign.principals.sdk.permissions",
                "issue,read,remove,redeem,admin");
    }

    public static String endpoint() {
        return "http://localhost:" + RestAssured.port + "/prod";
    }

    /** The same, for a client in a process of its own, which must not find the developer's settings. */
    public static Map<String, String> environment() {
        return Map.of(
                "AWS_ACCESS_KEY_ID", ACCESS_KEY_ID,
                "AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY,
                "AWS_REGION", REGION,
                "AWS_DEFAULT_REGION", REGION,
                "AWS_CONFIG_FILE", "target/no-aws-config",
                "AWS_SHARED_CREDENTIALS_FILE", "target/no-aws-credentials",
                "AWS_EC2_METADATA_DISABLED", "true",
                "AWS_MAX_ATTEMPTS", "1",
                "NO_PROXY", "localhost",
                "no_proxy", "localhost");
    }
}
