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

    /** Another each time the app is registered; a token belongs to one. */
    @Column(name = "generation", insertable = false, updatable = false)
    long generation;

    /**
     * Registers the app or replaces what was registered, in one statement, so that of several at once exactly one
     * registers it, and one that finds what it would write changes nothing.
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

    /** Whether there was one; of several removals at once, for exactly one. */
    static boolean remove(String appId) {
        return delete("appId", appId) > 0;
    }

    static Optional<App> named(String appId) {
        return findByIdOptional(appId);
    }

    static boolean isRegistered(String appId) {
        return count("appId", appId) > 0;
    }

    /** The rates of the apps that have one of their own, by app ID: the first so many. An index holds nothing else. */
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
     * The next apps in the order of their IDs, of those that are listed or begin with a prefix that ends with {@code *}. Each
     * is a range of the index, whatever else is registered. It names its columns: PostgreSQL refuses to go on with a
     * prepared {@code SELECT *} once a migration has added one.
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
                // Before and after all that an app ID may go on with.
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
