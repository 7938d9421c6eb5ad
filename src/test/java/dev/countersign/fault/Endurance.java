package dev.countersign.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.countersign.fault.Load.Call;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Reply;
import dev.countersign.support.ServiceProcess;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/**
 * A fault that a replica has endured under load, and what was seen of it.
 *
 * @param calls that clients made while it lasted
 * @param began by {@link System#nanoTime}
 * @param livenessFailures of so many probes
 * @param slackMillis what the busy machine took for a reply that needs nothing at all
 * @param readiness the probe's status at its end
 * @param recoveryMillis from its repair until a create succeeded
 * @param levelMillis from its repair until the replica held no more than before
 * @param before what the replica held before it
 * @param during what it held in the middle of it
 * @param after what it held in the end
 */
record Endurance(
        Collection<Call> calls,
        long began,
        int livenessFailures,
        int livenessProbes,
        long slackMillis,
        int readiness,
        long recoveryMillis,
        long levelMillis,
        ServiceLevel before,
        ServiceLevel during,
        ServiceLevel after) {

    /** The request's budget and half a second. */
    static final long BUDGET_MILLIS = 2500;

    static Endurance of(
            ServiceProcess service,
            ServiceLevel before,
            int clients,
            List<Function<ServiceClient, Reply>> calls,
            Duration duration,
            Runnable fault,
            Runnable repair) {
        long began = System.nanoTime();
        Collection<Call> ended;
        ServiceLevel during;
        int readiness;
        fault.run();
        try (Liveness liveness = Liveness.watch(service)) {
            try (Load load = Load.start(service.baseUri(), clients, calls)) {
                LockSupport.parkNanos(duration.dividedBy(2).toNanos());
                during = ServiceLevel.of(service);
                LockSupport.parkNanos(began + duration.toNanos() - System.nanoTime());
                ended = load.stop();
                readiness = service.probe("/q/health/ready");
            } finally {
                repair.run();
            }
            long repaired = System.nanoTime();
            awaitCreate(service);
            long recoveryMillis = millisSince(repaired);
            ServiceLevel after = ServiceLevel.awaitBackAt(before, service);
            return new Endurance(
                    ended,
                    began,
                    liveness.failures(),
                    liveness.probes(),
                    liveness.longestMillis(),
                    readiness,
                    recoveryMillis,
                    millisSince(repaired),
                    before,
                    during,
                    after);
        }
    }

    /** Fails unless every caller had a reply in time, the replica stayed alive, and it holds nothing of the fault now. */
    void assertThatNobodyHung() {
        assertThat(longestMillis()).isLessThanOrEqualTo(BUDGET_MILLIS + slackMillis);
        assertThat(count(0)).as("calls without a reply").isZero();
        assertThat(livenessFailures).isZero();
        assertThat(during.isBackAt(before))
                .as("what a fault holds is seen at all")
                .isFalse();
        assertThat(after.isBackAt(before)).as("%s is back at %s", after, before).isTrue();
        assertThat(levelMillis).isLessThan(ServiceLevel.WAIT.toMillis());
    }

    long count(int status) {
        return calls.stream().filter(call -> call.status() == status).count();
    }

    private long longestMillis() {
        return calls.stream().mapToLong(Call::millis).max().orElseThrow();
    }

    @Override
    public String toString() {
        return ("requests %d, longest reply %d ms, liveness failures %d of %d, recovered after %d ms, at its level after"
                        + " %d ms (before: %s; during: %s; after: %s)")
                .formatted(
                        calls.size(),
                        longestMillis(),
                        livenessFailures,
                        livenessProbes,
                        recoveryMillis,
                        levelMillis,
                        before,
                        during,
                        after);
    }

    private static void awaitCreate(ServiceProcess service) {
        try (ServiceClient client = new ServiceClient(service.baseUri())) {
            await().atMost(Duration.ofSeconds(15))
                    .pollInterval(Duration.ofMillis(50))
                    .until(() -> client.create("demo").isSuccess());
        }
    }

    private static long millisSince(long moment) {
        return Duration.ofNanos(System.nanoTime() - moment).toMillis();
    }
}
