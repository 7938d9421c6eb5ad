package dev.countersign.challenge;

import io.quarkus.narayana.jta.QuarkusTransaction;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.List;
import org.hibernate.Session;

/**
 * Finds out at the start whether the database is a Citus cluster's (ADR 13).
 *
 * <p>A session's settings don't reach the other servers of a cluster. So a server that acknowledges commits before they
 * are durable stops the start: a crash of it could bring a redeemed token back.
 */
@ApplicationScoped
class Citus {

    private static final String IS_PRESENT = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')";

    /** Those that don't answer are listed too: they might not be durable. */
    private static final String NOT_DURABLE = """
            SELECT coalesce(node.nodename || ':' || node.nodeport, 'the coordinator') || ' (' || answer.result || ')'
              FROM run_command_on_all_nodes('SHOW synchronous_commit') AS answer
              LEFT JOIN pg_dist_node AS node ON node.nodeid = answer.nodeid
             WHERE NOT answer.success OR answer.result NOT IN ('on', 'remote_apply')
             ORDER BY 1
            """;

    private final Session database;
    private volatile boolean present;

    Citus(Session database) {
        this.database = database;
    }

    /** Before anything else of the start, such as the scheduler, uses the database. */
    void check(@Observes @Priority(-1) StartupEvent event) {
        List<String> notDurable = QuarkusTransaction.requiringNew().call(() -> {
            present = database.createNativeQuery(IS_PRESENT, Boolean.class).getSingleResult();
            return present
                    ? database.createNativeQuery(NOT_DURABLE, String.class).getResultList()
                    : List.of();
        });
        if (!notDurable.isEmpty()) {
            throw new IllegalStateException(
                    "These servers of the Citus cluster don't answer SHOW synchronous_commit with"
                            + " on or remote_apply: " + String.join(", ", notDurable)
                            + ". Set synchronous_commit = on in the configuration of each; docs/scaling.md has how.");
        }
    }

    /** Whether there is Citus; false until the start has found out. */
    boolean isPresent() {
        return present;
    }
}
