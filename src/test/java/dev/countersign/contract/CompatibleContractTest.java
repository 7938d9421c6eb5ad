package dev.countersign.contract;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.Contract;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.openapitools.openapidiff.core.OpenApiCompare;
import org.openapitools.openapidiff.core.compare.OpenApiDiffOptions;
import org.openapitools.openapidiff.core.model.ChangedOpenApi;
import org.openapitools.openapidiff.core.output.MarkdownRender;

/**
 * A client of the last released contract works with this one ({@code docs/compatibility.md}). Until 0.1.0 is released,
 * the copy is of the contract that will be released.
 */
class CompatibleContractTest {

    private static final Path RELEASED = Path.of("src", "test", "resources", "released", "openapi.yaml");

    /** Clients must take a value of a reply's enum that they don't know. */
    private static final OpenApiDiffOptions ADDITIONS = OpenApiDiffOptions.builder()
            .configProperty("incompatible.response.enum.increased", "false")
            .build();

    @Test
    void contractBreaksNoClientOfTheReleasedOne() throws IOException {
        assertThat(incompatibilities(Files.readString(RELEASED), Contract.text()))
                .isEmpty();
    }

    /** What breaks a client, each as one change of the file. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "operation gone          | ~    delete:\n      tags: [Apps]~   | ~    trace:\n      tags: [Apps]~",
                "path renamed            | ~{sessionId}/status:~                | ~{sessionId}/state:~",
                "reply's member gone     | ~\n        redeemedAt:\n~                | ~\n        usedAt:\n~",
                "reply's member optional | ~[appId, sessionId, state, expiresAt]~ | ~[appId, sessionId, state]~",
                "request's member new and required | ~required: [challengeCode]~ | ~required: [challengeCode, codeVerifier]~",
                "parameter required      | ~        - name: limit\n          in: query~ | ~        - name: limit\n          required: true\n          in: query~",
                "type of a member        | ~isSuccess:\n          type: boolean~ | ~isSuccess:\n          type: string~",
                "request's length        | ~maxLength: 128~                     | ~maxLength: 64~",
            })
    void breakingChangeIsFound(String change, String from, String to) {
        assertThat(incompatibilitiesAfter(from, to)).as(change).isNotEmpty();
    }

    /** What the page allows. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "reply's member new    | ~\n        redeemedAt:\n~   | ~\n        channel:\n          type: string\n        redeemedAt:\n~",
                "request's member new  | ~\n        codeVerifier:\n~ | ~\n        channel:\n          type: string\n        codeVerifier:\n~",
                "value of a reply's enum | ~enum: [ISSUED, REDEEMED, LOCKED]~ | ~enum: [ISSUED, REDEEMED, LOCKED, REMOVED]~",
                "longer request        | ~maxLength: 128~        | ~maxLength: 256~",
            })
    void additionIsAllowed(String change, String from, String to) {
        assertThat(incompatibilitiesAfter(from, to)).as(change).isEmpty();
    }

    private static String incompatibilitiesAfter(String from, String to) {
        assertThat(Contract.text()).contains(from);
        return incompatibilities(Contract.text(), Contract.text().replace(from, to));
    }

    /** In words; empty when there are none. */
    private static String incompatibilities(String before, String after) {
        ChangedOpenApi changes = OpenApiCompare.fromContents(before, after, List.of(), ADDITIONS);
        return changes.isCompatible() ? "" : describe(changes);
    }

    private static String describe(ChangedOpenApi changes) {
        ByteArrayOutputStream words = new ByteArrayOutputStream();
        new MarkdownRender().render(changes, new OutputStreamWriter(words, UTF_8));
        return words.toString(UTF_8);
    }
}
