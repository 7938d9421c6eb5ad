package dev.countersign.support;

import static java.util.stream.Collectors.toMap;

import io.restassured.RestAssured;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Starts the package with the settings of the README's "Run it" for the tests of a class, so that no setting of the
 * tests hides a fault. The principal {@code console} signs with {@link AwsCredentials}. Only an issuer of bearer tokens
 * and its principal {@link Callers#TESTER} are added: these tests send requests that no signer could sign.
 */
public final class ReadmeService implements BeforeAllCallback, AfterAllCallback {

    private static final Pattern ENVIRONMENT =
            Pattern.compile("^\\$ cat > countersign\\.env <<END$(.*?)^END$", Pattern.MULTILINE | Pattern.DOTALL);

    private final Map<String, String> replaced = new HashMap<>();
    private int replacedPort;
    private PostgresServer database;
    private TokenIssuer issuer;
    private ServiceProcess service;

    @Override
    public void beforeAll(ExtensionContext context) throws IOException {
        replacedPort = RestAssured.port;
        database = PostgresServer.start();
        issuer = TokenIssuer.start();
        Map<String, String> environment = readme();
        environment.put("QUARKUS_DATASOURCE_JDBC_URL", database.jdbcUrl());
        environment.put("QUARKUS_DATASOURCE_USERNAME", "postgres");
        environment.put("QUARKUS_DATASOURCE_PASSWORD", "postgres");
        environment.put("COUNTERSIGN_PRINCIPALS_CONSOLE_ACCESS_KEY_ID", AwsCredentials.ACCESS_KEY_ID);
        environment.put("COUNTERSIGN_PRINCIPALS_CONSOLE_SECRET_ACCESS_KEY", AwsCredentials.SECRET_ACCESS_KEY);
        environment.put("QUARKUS_OIDC_AUTH_SERVER_URL", issuer.url());
        environment.put("QUARKUS_OIDC_TOKEN_AUDIENCE", TokenIssuer.AUDIENCE);
        String principal = "COUNTERSIGN_PRINCIPALS_" + Callers.TESTER.toUpperCase(Locale.ROOT);
        environment.put(principal + "_SUBJECT", Callers.TESTER);
        environment.put(principal + "_APPS", "*");
        environment.put(principal + "_PERMISSIONS", "issue,delegate,read,remove,redeem,admin");
        service = ServiceProcess.startByEnvironment(environment);
        RestAssured.port = service.baseUri().getPort();
        replace(TestDatabase.URL, database.jdbcUrl());
        replace(TokenIssuer.URL, issuer.url());
        replace(Callers.TOKEN, TokenIssuer.token(Callers.TESTER));
    }

    /** It is called even if the start failed. */
    @Override
    public void afterAll(ExtensionContext context) {
        try (PostgresServer _ = database;
                TokenIssuer _ = issuer;
                ServiceProcess _ = service) {
            RestAssured.port = replacedPort;
            replaced.forEach((name, value) -> {
                if (value == null) {
                    System.clearProperty(name);
                } else {
                    System.setProperty(name, value);
                }
            });
        }
    }

    private void replace(String property, String value) {
        replaced.put(property, System.getProperty(property));
        System.setProperty(property, value);
    }

    /** The variables of the README, with random keys and secrets as its commands make them. */
    private static Map<String, String> readme() throws IOException {
        Matcher environment = ENVIRONMENT.matcher(Files.readString(Path.of("README.md")));
        if (!environment.find()) {
            throw new IllegalStateException("The README writes no countersign.env");
        }
        return environment
                .group(1)
                .lines()
                .filter(line -> !line.isEmpty())
                .map(line -> line.split("=", 2))
                .collect(toMap(
                        variable -> variable[0],
                        variable -> variable[1].startsWith("$(openssl") ? ServiceProcess.randomKey() : variable[1],
                        (_, last) -> last,
                        HashMap::new));
    }
}
