package dev.countersign.support;

/** What the tests' callers show of themselves. */
public final class Callers {

    /** The principal that most tests call as; it may do everything. */
    public static final String TESTER = "tester";

    static final String TOKEN = "countersign.test.token";

    private Callers() {}

    /** The value of the {@code Authorization} header of {@link #TESTER}. */
    public static String bearer() {
        return "Bearer " + token();
    }

    /** The bearer token of {@link #TESTER}, for clients that add the scheme themselves. */
    public static String token() {
        return System.getProperty(TOKEN);
    }
}
