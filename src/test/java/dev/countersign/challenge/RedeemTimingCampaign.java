package dev.countersign.challenge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceProcess;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Whether the time of a refusal tells its reason: unknown session, wrong code and used code, in random order, by one
 * client of the packaged service. No part of a build; {@code ./mvnw -DskipTests package && ./mvnw test
 * -Dtest=RedeemTimingCampaign} runs it and prints the table.
 */
class RedeemTimingCampaign {

    private static final int REDEEMS = 10_000;
    private static final int WARM_UP = 2_000;

    /** One less than locks a token. */
    private static final int TRIES_EACH = 4;

    private static final int TOKENS = (REDEEMS + WARM_UP) / TRIES_EACH;

    private final Random random = new Random();

    @Test
    void timeOfARefusalDoesNotTellItsReason() {
        try (PostgresServer database = PostgresServer.start();
                ServiceProcess service = ServiceProcess.startForLong(database);
                ServiceClient client = new ServiceClient(service.baseUri())) {
            database.execute("INSERT INTO app (app_id, ttl_seconds) VALUES ('demo', 3600)");
            List<Try> tries = new ArrayList<>();
            for (int token = 0; token < TOKENS; token++) {
                tries.addAll(Collections.nCopies(TRIES_EACH, unknown(Token.of(client.create("demo")))));
                tries.addAll(Collections.nCopies(TRIES_EACH, wrong(Token.of(client.create("demo")))));
                tries.addAll(Collections.nCopies(TRIES_EACH, used(client)));
            }
            Collections.shuffle(tries, random);
            print(time(client, tries));
        }
    }

    /** Of the same time as a live session, as a guess would be. */
    private Try unknown(Token token) {
        String guess = token.session().substring(0, 24) + "%012x".formatted(random.nextLong(1L << 48));
        return new Try(Reason.UNKNOWN_SESSION, new Token(token.app(), guess, token.code()));
    }

    private static Try wrong(Token token) {
        String reversed = new StringBuilder(token.code()).reverse().toString();
        return new Try(Reason.WRONG_CODE, new Token(token.app(), token.session(), reversed));
    }

    private static Try used(ServiceClient client) {
        Token token = Token.of(client.create("demo"));
        assertThat(client.redeem(token.app(), token.session(), token.code()).status())
                .isEqualTo(200);
        return new Try(Reason.USED_CODE, token);
    }

    private static Map<Reason, long[]> time(ServiceClient client, List<Try> tries) {
        Map<Reason, List<Long>> times = new EnumMap<>(Reason.class);
        for (Try each : tries) {
            Token token = each.token;
            long start = System.nanoTime();
            int status =
                    client.redeem(token.app(), token.session(), token.code()).status();
            long time = System.nanoTime() - start;
            assertThat(status).isEqualTo(404);
            times.computeIfAbsent(each.reason, reason -> new ArrayList<>()).add(time);
        }
        Map<Reason, long[]> measured = new EnumMap<>(Reason.class);
        times.forEach((reason, all) -> measured.put(
                reason,
                all.stream().skip(WARM_UP).mapToLong(Long::longValue).sorted().toArray()));
        return measured;
    }

    private static void print(Map<Reason, long[]> times) {
        long least = times.values().stream()
                .mapToLong(sorted -> percentile(sorted, 50))
                .min()
                .orElseThrow();
        StringBuilder table = new StringBuilder("| refused | n | median µs | p90 µs | p99 µs | median / least |\n");
        table.append("|---|---:|---:|---:|---:|---:|\n");
        times.forEach((reason, sorted) -> table.append("| %s | %d | %d | %d | %d | %.3f |%n"
                .formatted(
                        reason.words,
                        sorted.length,
                        percentile(sorted, 50),
                        percentile(sorted, 90),
                        percentile(sorted, 99),
                        (double) percentile(sorted, 50) / least)));
        System.out.println(table);
    }

    private static long percentile(long[] sorted, int percent) {
        return sorted[sorted.length * percent / 100] / 1000;
    }

    private enum Reason {
        UNKNOWN_SESSION("unknown session"),
        WRONG_CODE("wrong code"),
        USED_CODE("used code");

        private final String words;

        Reason(String words) {
            this.words = words;
        }
    }

    private record Try(Reason reason, Token token) {}
}
