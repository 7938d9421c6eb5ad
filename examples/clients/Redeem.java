import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.identity.spi.AwsCredentialsIdentity;

/** Redeems a challenge code. Needs {@code software.amazon.awssdk:http-auth-aws}; credentials come from the environment. */
class Redeem {

    private static final int TRIES = 4;

    private final HttpClient http = HttpClient.newHttpClient();
    private final AwsV4HttpSigner signer = AwsV4HttpSigner.create();
    private final AwsCredentialsIdentity credentials =
            AwsCredentialsIdentity.create(System.getenv("AWS_ACCESS_KEY_ID"), System.getenv("AWS_SECRET_ACCESS_KEY"));

    public static void main(String[] arguments) throws Exception {
        URI url = URI.create("%s/backend/%s/challenge/%s/redeem".formatted((Object[]) arguments));
        System.out.println(new Redeem().redeem(url, arguments[3]).orElse("refused"));
    }

    /** The reply's JSON; empty when the code is wrong, used, expired or locked. */
    Optional<String> redeem(URI url, String code) throws IOException, InterruptedException {
        // One key for all tries, so that a repeat gets the reply that was lost.
        String idempotencyKey = UUID.randomUUID().toString();
        String body = "{\"challengeCode\":\"" + code + "\"}";
        for (int attempt = 1; ; attempt++) {
            try {
                HttpResponse<String> reply = http.send(signed(url, body, idempotencyKey), BodyHandlers.ofString());
                switch (reply.statusCode()) {
                    case 200 -> {
                        return Optional.of(reply.body());
                    }
                    case 404 -> {
                        return Optional.empty();
                    }
                    case 429, 504 -> {
                        if (attempt == TRIES) {
                            throw new IOException(reply.statusCode() + " " + reply.body());
                        }
                        Thread.sleep(Duration.ofSeconds(reply.headers().firstValueAsLong("Retry-After").orElse(1)));
                    }
                    default -> throw new IllegalStateException(reply.statusCode() + " " + reply.body());
                }
            } catch (IOException failure) {
                if (attempt == TRIES) {
                    throw failure;
                }
                Thread.sleep(100L << 2 * attempt);
            }
        }
    }

    private HttpRequest signed(URI url, String body, String idempotencyKey) {
        SdkHttpRequest request = SdkHttpRequest.builder()
                .method(SdkHttpMethod.POST)
                .uri(url)
                .putHeader("Content-Type", "application/json")
                .putHeader("Idempotency-Key", idempotencyKey)
                .build();
        HttpRequest.Builder signed = HttpRequest.newBuilder(url).timeout(Duration.ofSeconds(5)).POST(BodyPublishers.ofString(body));
        signer.sign(sign -> sign.identity(credentials)
                        .request(request)
                        .payload(ContentStreamProvider.fromUtf8String(body))
                        .putProperty(AwsV4HttpSigner.SERVICE_SIGNING_NAME, "amplifybackend")
                        .putProperty(AwsV4HttpSigner.REGION_NAME, "us-east-1"))
                .request()
                .headers()
                // The HTTP client sets Host by itself.
                .forEach((name, values) -> values.stream()
                        .filter(value -> !name.equalsIgnoreCase("Host"))
                        .forEach(value -> signed.header(name, value)));
        return signed.build();
    }
}
