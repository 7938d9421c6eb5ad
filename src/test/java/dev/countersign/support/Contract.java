package dev.countersign.support;

import static io.restassured.RestAssured.given;

import com.atlassian.oai.validator.OpenApiInteractionValidator;
import com.atlassian.oai.validator.report.LevelResolver;
import com.atlassian.oai.validator.report.ValidationReport.Level;
import com.atlassian.oai.validator.restassured.OpenApiValidationFilter;
import io.restassured.specification.RequestSpecification;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Every call of a test goes through {@link #call()}, which holds the reply against {@code openapi.yaml}. */
public final class Contract {

    public static final Path FILE = Path.of("openapi.yaml");

    // Requests may be wrong on purpose; replies may not.
    private static final OpenApiValidationFilter FILTER =
            new OpenApiValidationFilter(OpenApiInteractionValidator.createForInlineApiSpecification(text())
                    .withLevelResolver(LevelResolver.create()
                            .withLevel("validation.request", Level.IGNORE)
                            .build())
                    .build());

    private Contract() {}

    /** A request of {@link Callers#TESTER} whose reply must be one that the contract names: status, headers and body. */
    public static RequestSpecification call() {
        return anonymousCall().header("Authorization", Callers.bearer());
    }

    /** As {@link #call}, of one of the principals that {@link CallersResource} names. */
    public static RequestSpecification callAs(String principal) {
        return anonymousCall().header("Authorization", "Bearer " + TokenIssuer.token(principal));
    }

    /** As {@link #call}, of nobody. */
    public static RequestSpecification anonymousCall() {
        return given().filter(FILTER).urlEncodingEnabled(false);
    }

    public static String text() {
        try {
            return Files.readString(FILE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
