package dev.countersign.app;

import io.quarkus.hibernate.orm.panache.PanacheEntityBase;
import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.hibernate.Session;
import org.jspecify.annotations.Nullable;

/** A registered app, and its queries. */
@Entity
@Table(name = "app")
class App extends PanacheEntityBase {

    @Id
    @Column(name = "app_id")
    String appId;

    @Column(name = "display_name")
    @Nullable
    String displayName;

    /** Null for the service's default. */
    @Column(name = "ttl_seconds")
    @Nullable
    Integer ttlSeconds;

    /** Null for the service's default. */
    @Column(name = "create_token_per_minute")
    @Nullable
    Integer createTokenPerMinute;

    @Column(name = "created_at")
    Instant createdAt;

    /** A new number each time the app is registered. A token belongs to one generation. */
    @Column(name = "generation", insertable = false, updatable = false)
    long generation;

    /**
     * Registers the app or replaces its values, in one statement. Of several concurrent calls, exactly one registers
     * the app. A call that finds its values already stored changes nothing.
     */
    static Effect put(
            String appId,
            @Nullable String displayName,
            @Nullable Integer ttlSeconds,
            @Nullable Integer createTokenPerMinute) {
        List<?> registered = getEntityManager()
                .createNativeQuery("""
                        INSERT INTO app (app_id, display_name, ttl_seconds, create_token_per_minute, created_at)
                        VALUES (:appId, cast(:displayName AS text), cast(:ttlSeconds AS integer),
                                cast(:createTokenPerMinute AS integer), date_trunc('milliseconds', clock_timestamp()))
                        ON CONFLICT (app_id) DO UPDATE
                           SET display_name = excluded.display_name,
                               ttl_seconds = excluded.ttl_seconds,
                               create_token_per_minute = excluded.create_token_per_minute
                         WHERE (app.display_name, app.ttl_seconds, app.create_token_per_minute) IS DISTINCT FROM
                               (excluded.display_name, excluded.ttl_seconds, excluded.create_token_per_minute)
                        RETURNING xmax = 0
                        """, Boolean.class)
                .setParameter("appId", appId)
                .setParameter("displayName", displayName)
                .setParameter("ttlSeconds", ttlSeconds)
                .setParameter("createTokenPerMinute", createTokenPerMinute)
                .getResultList();
        if (registered.isEmpty()) {
            return Effect.NONE;
        }
        return registered.contains(true) ? Effect.REGISTERED : Effect.CHANGED;
    }

    /** What a {@link #put} did. */
    enum Effect {
        REGISTERED,
        CHANGED,
        NONE
    }

    /** Deletes the app. Returns whether it existed; of several concurrent calls, exactly one returns true. */
    static boolean remove(String appId) {
        return delete("appId", appId) > 0;
    }

    static Optional<App> named(String appId) {
        return findByIdOptional(appId);
    }

    /** Those of the apps that are registered. */
    static Set<String> registered(Set<String> appIds) {
        return Set.copyOf(getEntityManager()
                .unwrap(Session.class)
                .createNativeQuery("SELECT app_id FROM app WHERE app_id = ANY(cast(:ids AS text[]))", String.class)
                .setParameter("ids", appIds.toArray(String[]::new))
                .getResultList());
    }

    /**
     * The rates of the apps that have their own, by app ID: at most {@code most}, in order of ID. A partial index holds
     * only these.
     */
    static Map<String, Integer> createTokensPerMinute(int most) {
        return getEntityManager()
                .createQuery("""
                        SELECT appId, createTokenPerMinute FROM App
                         WHERE createTokenPerMinute IS NOT NULL ORDER BY appId
                        """, Object[].class)
                .setMaxResults(most)
                .getResultStream()
                .collect(Collectors.toUnmodifiableMap(row -> (String) row[0], row -> (Integer) row[1]));
    }

    /**
     * The next apps in order of ID, out of those that {@code apps} lists or matches with a prefix that ends with
     * {@code *}. Each entry is one range of the index, however many other apps there are. The query names its columns:
     * PostgreSQL refuses to run a prepared {@code SELECT *} again once a migration has added a column.
     */
    static List<App> page(String after, List<String> apps, int size) {
        return getEntityManager()
                .unwrap(Session.class)
                .createNativeQuery("""
                        SELECT DISTINCT app_id COLLATE "C" AS app_id, display_name, ttl_seconds,
                               create_token_per_minute, created_at, generation
                          FROM unnest(cast(:first AS text[]), cast(:end AS text[])) AS range (first, "end")
                         CROSS JOIN LATERAL (
                               SELECT app_id, display_name, ttl_seconds, create_token_per_minute, created_at, generation
                                 FROM app
                                WHERE app_id COLLATE "C" > :after
                                  AND app_id COLLATE "C" >= range.first AND app_id COLLATE "C" < range."end"
                                ORDER BY app_id COLLATE "C"
                                LIMIT :size) AS app
                         ORDER BY app_id COLLATE "C"
                         LIMIT :size
                        """, App.class)
                .setParameter(
                        "first", apps.stream().map(app -> app.replace("*", "")).toArray(String[]::new))
                // The exclusive end of a range: "~" sorts after, and " " before, everything that an app ID may contain.
                .setParameter(
                        "end",
                        apps.stream()
                                .map(app -> app.endsWith("*") ? app.replace('*', '~') : app + " ")
                                .toArray(String[]::new))
                .setParameter("after", after)
                .setParameter("size", size)
                .getResultList();
    }
}
