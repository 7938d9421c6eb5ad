package dev.countersign.challenge;

import dev.countersign.challenge.RedeemHistory.Kind;
import dev.countersign.challenge.RedeemHistory.Operation;
import dev.countersign.challenge.RedeemHistory.Outcome;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Reply;
import dev.countersign.support.ServiceClient.Token;
import java.net.URI;
import java.time.OffsetDateTime;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One client whose calls go down in a history. */
final class RecordingClient implements AutoCloseable {

    private static final String WRONG = "wrong-code-of-any-form";

    private final ServiceClient client;
    private final RedeemHistory history;

    RecordingClient(URI service, RedeemHistory history) {
        this.client = new ServiceClient(service);
        this.history = history;
    }

    /** Empty when no reply came. */
    Optional<Token> create(String app) {
        long start = RedeemHistory.now();
        Reply reply = client.create(app);
        long end = RedeemHistory.now();
        Optional<Token> token = reply.isSuccess() ? Optional.of(Token.of(reply)) : Optional.empty();
        UUID session = token.map(Token::session).map(UUID::fromString).orElse(null);
        history.add(new Operation(Kind.CREATE, session, null, outcome(reply), start, end, null));
        return token;
    }

    Outcome read(Token token) {
        return record(Kind.READ, token, null, () -> client.read(token.app(), token.session()));
    }

    Outcome remove(Token token) {
        return record(Kind.REMOVE, token, null, () -> client.remove(token.app(), token.session()));
    }

    Outcome redeem(Token token) {
        return record(Kind.REDEEM, token, null, () -> client.redeem(token.app(), token.session(), token.code()));
    }

    Outcome redeem(Token token, String key) {
        return record(Kind.REDEEM, token, key, () -> client.redeem(token.app(), token.session(), token.code(), key));
    }

    Outcome redeemWrongly(Token token) {
        return record(Kind.WRONG_REDEEM, token, null, () -> client.redeem(token.app(), token.session(), WRONG));
    }

    @Override
    public void close() {
        client.close();
    }

    private Outcome record(Kind kind, Token token, @Nullable String key, Supplier<Reply> call) {
        long start = RedeemHistory.now();
        Reply reply = call.get();
        long end = RedeemHistory.now();
        Outcome outcome = outcome(reply);
        history.add(new Operation(
                kind,
                UUID.fromString(token.session()),
                key,
                outcome,
                start,
                end,
                kind == Kind.REDEEM && outcome == Outcome.DONE
                        ? OffsetDateTime.parse(reply.member("redeemedAt")).toInstant()
                        : null));
        return outcome;
    }

    /** A 504 says that nobody knows, as no reply does; anything else that isn't a plain answer is a defect. */
    private static Outcome outcome(Reply reply) {
        return switch (reply.status()) {
            case 200 -> Outcome.DONE;
            case 404 -> Outcome.REFUSED;
            case 0, 504 -> Outcome.UNKNOWN;
            default -> throw new AssertionError(reply.toString());
        };
    }
}
