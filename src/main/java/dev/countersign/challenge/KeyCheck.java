package dev.countersign.challenge;

import io.quarkus.narayana.jta.QuarkusTransaction;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.security.MessageDigest;
import javax.crypto.SecretKey;
import org.hibernate.Session;

/**
 * Stops the start of a replica whose key has other bytes than the other replicas' key with the same id: it would refuse
 * the codes of all others. The first replica with a key stores a check value in the table {@code key_check}, with which
 * later replicas compare theirs.
 */
@ApplicationScoped
class KeyCheck {

    private static final String INSERT = """
            INSERT INTO key_check (key_id, check_value) VALUES (:key, :value) ON CONFLICT DO NOTHING
            """;

    private final ChallengeKeys keys;
    private final Session database;

    KeyCheck(ChallengeKeys keys, Session database) {
        this.keys = keys;
        this.database = database;
    }

    void check(@Observes StartupEvent event) {
        for (String id : keys.ids()) {
            check(id, keys.key(id).orElseThrow());
        }
    }

    private void check(String id, SecretKey key) {
        byte[] value = KeyedHash.of(key, "countersign.key-check");
        byte[] first = QuarkusTransaction.requiringNew().call(() -> {
            database.createNativeMutationQuery(INSERT)
                    .setParameter("key", id)
                    .setParameter("value", value)
                    .executeUpdate();
            return database.createNativeQuery("SELECT check_value FROM key_check WHERE key_id = :key", byte[].class)
                    .setParameter("key", id)
                    .getSingleResult();
        });
        if (!MessageDigest.isEqual(first, value)) {
            throw new IllegalStateException("countersign.challenge.keys." + id
                    + " differs from the key that this database has recorded for this id. Set the same key as on the"
                    + " other replicas, or give the new key a new id. If the recorded key is wrong, see"
                    + " docs/operations.md.");
        }
    }
}
