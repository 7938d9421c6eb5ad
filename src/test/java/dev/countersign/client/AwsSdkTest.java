package dev.countersign.client;

import static dev.countersign.support.Contract.call;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.countersign.support.AwsCredentials;
import dev.countersign.support.ServiceTest;
import io.quarkus.test.junit.QuarkusTest;
import java.io.IOException;
import java.net.URI;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.amplifybackend.AmplifyBackendAsyncClient;
import software.amazon.awssdk.services.amplifybackend.AmplifyBackendClient;
import software.amazon.awssdk.services.amplifybackend.model.AmplifyBackendException;
import software.amazon.awssdk.services.amplifybackend.model.BadRequestException;
import software.amazon.awssdk.services.amplifybackend.model.CreateTokenResponse;
import software.amazon.awssdk.services.amplifybackend.model.GatewayTimeoutException;
import software.amazon.awssdk.services.amplifybackend.model.GetTokenResponse;
import software.amazon.awssdk.services.amplifybackend.model.NotFoundException;
import software.amazon.awssdk.services.amplifybackend.model.TooManyRequestsException;

/** The AWS SDK for Java works with the service, and tells its errors apart by their type. */
@QuarkusTest
class AwsSdkTest extends ServiceTest {

    private AmplifyBackendClient client;

    @BeforeEach
    void connect() {
        client = to(AwsCredentials.endpoint(), AmplifyBackendClient.builder()).build();
    }

    @AfterEach
    void close() {
        client.close();
    }

    @Test
    void clientCreatesReadsAndRemovesAToken() {
        CreateTokenResponse created = client.createToken(token -> token.appId("demo"));
        assertThat(created.appId()).isEqualTo("demo");
        assertThat(created.challengeCode()).hasSize(43);

        assertThat(members(read(created.sessionId())))
                .containsExactly(created.appId(), created.sessionId(), created.ttl(), created.challengeCode());

        assertThat(client.deleteToken(token -> token.appId("demo").sessionId(created.sessionId()))
                        .isSuccess())
                .isTrue();
        NotFoundException gone = catchThrowableOfType(NotFoundException.class, () -> read(created.sessionId()));
        assertThat(gone.resourceType()).isEqualTo("token");
    }

    @Test
    void asynchronousClientDoesSoToo() {
        try (AmplifyBackendAsyncClient async = to(AwsCredentials.endpoint(), AmplifyBackendAsyncClient.builder())
                .build()) {
            CreateTokenResponse created =
                    async.createToken(token -> token.appId("demo")).join();
            assertThat(members(read(created.sessionId()))).contains(created.challengeCode());
            assertThat(async.deleteToken(token -> token.appId("demo").sessionId(created.sessionId()))
                            .join()
                            .isSuccess())
                    .isTrue();
            assertThatThrownBy(() -> async.getToken(token -> token.appId("demo").sessionId(created.sessionId()))
                            .join())
                    .hasCauseInstanceOf(NotFoundException.class);
        }
    }

    @Test
    void unknownAppIsTheTypedNotFound() {
        NotFoundException error = catchThrowableOfType(
                NotFoundException.class, () -> client.createToken(token -> token.appId("nosuchapp")));
        assertThat(error.resourceType()).isEqualTo("app");
        assertTold(error, 404, "No such app");
    }

    @Test
    void malformedAppIdIsTheTypedBadRequest() {
        BadRequestException error = catchThrowableOfType(
                BadRequestException.class, () -> client.createToken(token -> token.appId("Not an/app")));
        assertTold(error, 400, "appId");
    }

    @Test
    void exceededLimitIsTheTypedTooManyRequests() throws IOException {
        TooManyRequestsException error = refused(TooManyRequestsException.class, 429, """
                {"message":"Too many tokens were created for this app","limitType":"CREATE_TOKEN_RATE"}""");
        assertThat(error.limitType()).isEqualTo("CREATE_TOKEN_RATE");
        assertTold(error, 429, "Too many tokens were created for this app");
    }

    @Test
    void failureOfTheServiceIsTheTypedGatewayTimeout() throws IOException {
        GatewayTimeoutException error = refused(GatewayTimeoutException.class, 504, """
                {"message":"The service is temporarily unavailable. Try again."}""");
        assertTold(error, 504, "The service is temporarily unavailable. Try again.");
    }

    /** What the client makes of a reply that the service gives only when pressed, so it comes from an edge before it. */
    private static <E extends AmplifyBackendException> E refused(Class<E> type, int status, String body)
            throws IOException {
        try (RefusingEdge edge = new RefusingEdge(status, type.getSimpleName(), body);
                AmplifyBackendClient client =
                        to(edge.endpoint(), AmplifyBackendClient.builder()).build()) {
            // The edge keeps to the contract, as the service does.
            call().post(edge.endpoint() + "/backend/demo/challenge").then().statusCode(status);
            return catchThrowableOfType(type, () -> client.createToken(token -> token.appId("demo")));
        }
    }

    private static void assertTold(AmplifyBackendException error, int status, String message) {
        assertThat(error.statusCode()).isEqualTo(status);
        assertThat(error.awsErrorDetails().errorMessage()).startsWith(message);
        assertThat(UUID.fromString(error.requestId())).isNotNull();
    }

    private GetTokenResponse read(String sessionId) {
        return client.getToken(token -> token.appId("demo").sessionId(sessionId));
    }

    private static List<String> members(GetTokenResponse token) {
        return List.of(token.appId(), token.sessionId(), token.ttl(), token.challengeCode());
    }

    private static <B extends AwsClientBuilder<B, ?>> B to(String endpoint, B builder) {
        return builder.endpointOverride(URI.create(endpoint))
                .region(Region.of(AwsCredentials.REGION))
                .credentialsProvider(StaticCredentialsProvider.create(
                        AwsBasicCredentials.create(AwsCredentials.ACCESS_KEY_ID, AwsCredentials.SECRET_ACCESS_KEY)))
                // An error is to be seen, not waited out.
                .overrideConfiguration(client -> client.retryStrategy(AwsRetryStrategy.doNotRetry()));
    }
}
