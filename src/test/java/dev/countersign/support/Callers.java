package dev.countersign.support;

/** What the tests' callers show of themselves. */
public final class Callers {

    /** The principal that most tests call as; it may do everything. */
    public static final String TESTER = "tester";

    public static final String ACCESS_KEY_ID = "AKIACOUNTERSIGNTEST1";
    public static final String SECRET_ACCESS_KEY = "test-only-secret-access-key-of-forty-chars";
    public static final String REGION = "us-east-1";

    static final String TOKEN = "countersign.test.token";

    private Callers() {}

    /** The value of the {@code Authorization} header of {@link #TESTER}. */
    public static String bearer() {
        return "Bearer " + System.getProperty(TOKEN);
    }
}
