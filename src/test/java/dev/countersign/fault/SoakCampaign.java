package dev.countersign.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.countersign.fault.Load.Call;
import dev.countersign.support.PostgresServer;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Reply;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceProcess;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import org.jboss.logging.Logger;
import org.junit.jupiter.api.Test;

/**
 * Half of what the machine can do, for long: 30 minutes, or {@code -Dcountersign.soak.minutes}. What grows with time, and
 * not with load, shows itself. Half of the tokens are redeemed and the other half expire.
 */
class SoakCampaign {

    private static final Logger LOG = Logger.getLogger(SoakCampaign.class);

    private static final int MINUTES = Integer.getInteger("countersign.soak.minutes", 30);
    private static final int CLIENTS = 32;
    private static final Duration WARM_UP = Duration.ofSeconds(30);

    /** A machine of two processors has its hiccups; a request in a million may meet one. */
    private static final double FAILED_SHARE = 1e-5;

    private final Queue<Token> tokens = new ConcurrentLinkedQueue<>();

    @Test
    void nothingGrowsThatDoesNotGrowWithTheLoad() throws Exception {
        Map<String, String> settings = new HashMap<>(ServiceProcess.DEFAULT_TIMEOUTS);
        settings.put("countersign.purge.every", "10s");
        try (PostgresServer database = PostgresServer.start();
                ServiceProcess service = ServiceProcess.startForLong(database, settings)) {
            database.execute("INSERT INTO app (app_id, ttl_seconds) VALUES ('demo', 60)");
            double rate = fullRate(service) / 2;
            List<Sample> samples = new ArrayList<>();
            Collection<Call> calls;
            try (Load load = Load.startAtRate(service.baseUri(), CLIENTS, rate, this::call)) {
                long begin = System.nanoTime();
                for (int minute = 1; minute <= MINUTES; minute++) {
                    LockSupport.parkNanos(begin + Duration.ofMinutes(minute).toNanos() - System.nanoTime());
                    samples.add(Sample.of(minute, service, database));
                    LOG.infof("%s", samples.getLast());
                }
                calls = load.stop();
            }
            report(rate, calls, samples);
        }
    }

    private Reply call(ServiceClient client) {
        Token token = tokens.poll();
        if (token != null) {
            return client.redeem(token.app(), token.session(), token.code());
        }
        Reply created = client.create("demo");
        if (created.isSuccess() && created.body().hashCode() % 2 == 0) {
            tokens.add(Token.of(created));
        }
        return created;
    }

    private double fullRate(ServiceProcess service) {
        try (Load load = Load.start(service.baseUri(), CLIENTS, this::call)) {
            await().atMost(Duration.ofMinutes(2)).pollDelay(WARM_UP).until(() -> true);
            int begun = load.calls().size();
            await().atMost(Duration.ofMinutes(2)).pollDelay(WARM_UP).until(() -> true);
            return (load.stop().size() - begun) / (double) WARM_UP.toSeconds();
        }
    }

    private static void report(double rate, Collection<Call> calls, List<Sample> samples) {
        long failed = calls.stream().filter(call -> call.status() != 200).count();
        LOG.infof(
                "soak of %d min at %.0f a second: requests %d, failed %d, longest reply %d ms; heap slope %.2f MiB an hour;"
                        + " bytes of tables at most %d MiB, in the end %d MiB; dead rows at most %d",
                MINUTES,
                rate,
                calls.size(),
                failed,
                calls.stream().mapToLong(Call::millis).max().orElseThrow(),
                60 * slope(samples),
                samples.stream().mapToLong(Sample::tables).max().orElseThrow(),
                samples.getLast().tables,
                samples.stream().mapToLong(Sample::dead).max().orElseThrow());
        assertThat((double) failed / calls.size()).isLessThanOrEqualTo(FAILED_SHARE);
        Sample early = samples.get(samples.size() / 3);
        assertThat(samples.getLast().heap).isLessThanOrEqualTo(early.heap + 8);
        assertThat(samples.getLast().tables).isLessThanOrEqualTo(2 * early.tables + 64);
    }

    /** MiB a minute, of the line that fits best; the first third is for what is made once. */
    private static double slope(List<Sample> all) {
        List<Sample> samples = all.subList(all.size() / 3, all.size());
        double minute = samples.stream().mapToInt(Sample::minute).average().orElseThrow();
        double heap = samples.stream().mapToInt(Sample::heap).average().orElseThrow();
        double products = samples.stream()
                .mapToDouble(each -> (each.minute - minute) * (each.heap - heap))
                .sum();
        double squares = samples.stream()
                .mapToDouble(each -> (each.minute - minute) * (each.minute - minute))
                .sum();
        return squares == 0 ? 0 : products / squares;
    }

    /**
     * How it stands after so many minutes.
     *
     * @param heap in MiB, after a collection of garbage
     * @param tables in MiB, with their indexes
     * @param live rows of tokens, as the statistics say
     * @param dead rows that wait for a vacuum
     */
    private record Sample(int minute, int heap, int threads, long tables, long live, long dead) {

        static Sample of(int minute, ServiceProcess service, PostgresServer database) throws SQLException {
            ServiceLevel level = ServiceLevel.of(service);
            return new Sample(
                    minute,
                    level.heap(),
                    level.threads(),
                    database.ask("""
                            SELECT sum(pg_total_relation_size(relid)) / 1048576 FROM pg_stat_user_tables
                            """),
                    database.ask("SELECT sum(n_live_tup) FROM pg_stat_user_tables WHERE relname LIKE 'challenge%'"),
                    database.ask("SELECT sum(n_dead_tup) FROM pg_stat_user_tables"));
        }
    }
}
