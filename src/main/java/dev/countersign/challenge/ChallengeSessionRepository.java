package dev.countersign.challenge;

import static java.util.Collections.nCopies;
import static java.util.Comparator.comparing;
import static java.util.stream.Collectors.counting;
import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.toMap;

import dev.countersign.challenge.ChallengeSession.SessionKey;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.arc.Arc;
import io.quarkus.arc.ManagedContext;
import io.quarkus.hibernate.orm.panache.PanacheRepositoryBase;
import io.quarkus.runtime.ShutdownEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.hibernate.query.NativeQuery;
import org.jspecify.annotations.Nullable;

/**
 * The only gateway to the rows of {@code challenge_session}. Concurrent callers share statements ({@link Batcher}).
 * Each statement is a transaction of its own, without a BEGIN.
 *
 * <p>A statement that writes asks for a durable commit itself, because a pooler loses a session's settings. Every
 * deadline is in {@link System#nanoTime}. A future fails with UnavailableException when the database could not be
 * asked, or when it failed; a failed statement may have taken effect all the same.
 *
 * <p>{@code IS TRUE} keeps PostgreSQL from using the default partition's index on {@code expires_at}, so it finds the
 * session by its primary key.
 */
@ApplicationScoped
class ChallengeSessionRepository implements PanacheRepositoryBase<ChallengeSession, SessionKey> {

    /**
     * Inserts sessions. The join leaves out sessions of apps that are not registered now, and the database's clock sets
     * the times. A session that asks for a longer TTL than its app's is left out too.
     */
    static final String INSERT = """
            INSERT INTO challenge_session
                   (app_id, app_generation, session_id, key_id, salt, issued_to, created_at, expires_at,
                    subject, subject_issuer, context, code_challenge)
            SELECT app.app_id, app.generation,
                   cast(session_id_prefix(life.expires_at) || new.id_tail AS uuid),
                   new.key_id, new.salt, new.issued_to, life.created_at, life.expires_at,
                   new.subject, new.subject_issuer, new.context, new.code_challenge
              FROM unnest(cast(:apps AS text[]), cast(:idTails AS text[]), cast(:keys AS text[]), cast(:salts AS bytea[]),
                          cast(:issuedTo AS text[]), cast(:subjects AS text[]), cast(:issuers AS text[]),
                          cast(:contexts AS text[]), cast(:codeChallenges AS text[]), cast(:ttls AS integer[]))
                   AS new (app_id, id_tail, key_id, salt, issued_to, subject, subject_issuer, context, code_challenge,
                           ttl_seconds)
              JOIN app ON app.app_id = new.app_id
             CROSS JOIN LATERAL (
                   SELECT now_ms AS created_at,
                          now_ms + make_interval(secs => coalesce(new.ttl_seconds, app.ttl_seconds, :defaultTtl))
                          AS expires_at
                     FROM date_trunc('milliseconds', statement_timestamp()) AS now_ms) AS life
             WHERE (SELECT set_config('synchronous_commit', 'on', true)) = 'on'
               AND (new.ttl_seconds IS NULL OR new.ttl_seconds <= coalesce(app.ttl_seconds, :defaultTtl))
            RETURNING session_id, app_generation, created_at, expires_at
            """;

    /**
     * {@link #INSERT} for a batch in which a session asks for a TTL. Also returns the sessions that ask for too long a
     * TTL, with the longest one allowed.
     */
    static final String INSERT_WITH_TTLS = "WITH written AS (\n" + INSERT + """
            )
            SELECT session_id, app_generation, created_at, expires_at, cast(NULL AS integer) AS most
              FROM written
             UNION ALL
            SELECT cast('000000000000' || asked.id_tail AS uuid), NULL, NULL, NULL,
                   cast(floor(coalesce(app.ttl_seconds, :defaultTtl)) AS integer)
              FROM unnest(cast(:apps AS text[]), cast(:idTails AS text[]), cast(:ttls AS integer[]))
                   AS asked (app_id, id_tail, ttl_seconds)
              JOIN app ON app.app_id = asked.app_id
             WHERE asked.ttl_seconds > coalesce(app.ttl_seconds, :defaultTtl)
            """;

    /**
     * Finds each session by its whole key, so that each look-up touches one partition. {@code BETWEEN} lets PostgreSQL
     * leave out the other partitions before it begins; preparing all partitions takes two thirds of the time of a
     * single look-up. The clock in the select list keeps PostgreSQL from merging the inner query into the outer one. A
     * distributed database picks its shards by {@code = ANY}; the collation keeps that condition out of the index
     * condition.
     */
    static final String FIND = """
            SELECT found.*
              FROM unnest(cast(:apps AS text[]), cast(:sessions AS uuid[])) AS asked (app_id, session_id)
             CROSS JOIN LATERAL (
                   SELECT session.app_id, session.session_id, session.app_generation, session.key_id, session.salt,
                          CASE WHEN session.expires_at > clock_timestamp() THEN session.state ELSE 'expired' END AS state,
                          session.attempts, session.issued_to, session.created_at, session.expires_at,
                          session.settled_at, session.redeemed_by, session.redeem_fingerprint,
                          session.subject, session.subject_issuer, session.context, session.code_challenge
                     FROM challenge_session AS session
                     JOIN app ON app.app_id = session.app_id AND app.generation = session.app_generation
                    WHERE session.app_id = asked.app_id AND session.session_id = asked.session_id
                      AND session.session_id BETWEEN :least AND :most
                      AND session.app_id COLLATE "C" = ANY (cast(:distinctApps AS text[]))) AS found
            """;

    /**
     * Redeems sessions. Of several attempts at one session one succeeds, also within a statement.
     *
     * <p>{@code = ANY (ARRAY[x])} instead of {@code = x} keeps PostgreSQL from planning a merge join over all
     * partitions; each row is found by its primary key. A {@code BETWEEN} would make it scan a range of keys instead, if
     * it planned while a partition was small. The other {@code ANY} is as in {@link #FIND}.
     *
     * <p>The last line reads the clock after any wait for a lock. An attempt that comes too late divides by zero, which
     * rolls the statement back. The {@link Batcher} then repeats each attempt alone, and the late one finds nothing to
     * redeem.
     */
    static final String REDEEM = """
            WITH redeemed AS (
                UPDATE challenge_session
                   SET state = 'redeemed', salt = NULL, settled_at = statement_timestamp(),
                       redeemed_by = attempt.principal, redeem_fingerprint = attempt.fingerprint
                  FROM unnest(cast(:apps AS text[]), cast(:sessions AS uuid[]), cast(:principals AS text[]),
                              cast(:fingerprints AS bytea[]))
                       WITH ORDINALITY AS attempt (app, session, principal, fingerprint, position)
                 WHERE app_id = ANY (ARRAY[attempt.app]) AND session_id = attempt.session
                   AND state = 'issued'
                   AND (expires_at > statement_timestamp()) IS TRUE
                   AND app_id COLLATE "C" = ANY (cast(:distinctApps AS text[]))
                   AND attempts < :maxAttempts
                   AND app_generation = (SELECT generation FROM app WHERE app.app_id = challenge_session.app_id)
                RETURNING attempt.position, settled_at, expires_at)
            SELECT position, settled_at FROM redeemed
             WHERE (SELECT set_config('synchronous_commit', 'on', true)) = 'on'
               AND 1 / cast(expires_at > clock_timestamp() AS integer) = 1
            """;

    /**
     * Counts wrong codes. Commits durably even when there is nothing to count; otherwise its time would reveal whether
     * a live token exists.
     */
    static final String COUNT_ATTEMPTS = """
            WITH counted AS (
                UPDATE challenge_session
                   SET attempts = least(attempts + wrong.times, :maxAttempts),
                       state = CASE WHEN attempts + wrong.times < :maxAttempts THEN state ELSE 'locked' END,
                       salt = CASE WHEN attempts + wrong.times < :maxAttempts THEN salt END,
                       settled_at = CASE WHEN attempts + wrong.times < :maxAttempts THEN NULL ELSE time.now END
                  FROM (SELECT statement_timestamp() AS now) AS time,
                       unnest(cast(:apps AS text[]), cast(:sessions AS uuid[]), cast(:times AS integer[]))
                       AS wrong (app, session, times)
                 WHERE app_id = ANY (ARRAY[wrong.app]) AND session_id = wrong.session
                   AND state = 'issued'
                   AND (expires_at > time.now) IS TRUE
                   AND app_id COLLATE "C" = ANY (cast(:distinctApps AS text[]))
                RETURNING app_id, session_id, state)
            SELECT app_id, session_id
              FROM (SELECT app_id, session_id FROM counted WHERE state = 'locked'
                     UNION ALL
                    SELECT CASE WHEN pg_logical_emit_message(true, 'countersign', '') IS NULL THEN '' END, NULL
                     WHERE NOT EXISTS (SELECT FROM counted)) AS locked
             WHERE (SELECT set_config('synchronous_commit', 'on', true)) = 'on'
            """;

    /** Deletes live sessions. The last line is as in {@link #REDEEM}. */
    static final String REMOVE = """
            WITH removed AS (
                DELETE FROM challenge_session
                 USING unnest(cast(:apps AS text[]), cast(:sessions AS uuid[]))
                       WITH ORDINALITY AS removal (app, session, position)
                 WHERE app_id = ANY (ARRAY[removal.app]) AND session_id = removal.session
                   AND state = 'issued'
                   AND (expires_at > statement_timestamp()) IS TRUE
                   AND app_id COLLATE "C" = ANY (cast(:distinctApps AS text[]))
                   AND app_generation = (SELECT generation FROM app WHERE app.app_id = challenge_session.app_id)
                RETURNING removal.position, expires_at)
            SELECT position FROM removed
             WHERE (SELECT set_config('synchronous_commit', 'on', true)) = 'on'
               AND 1 / cast(expires_at > clock_timestamp() AS integer) = 1
            """;

    /** Deletes by ctid: any expired rows will do, so no key look-up is needed. */
    static final String EMPTY_DEFAULT = """
            DELETE FROM challenge_session_default
             WHERE ctid = ANY (ARRAY (
                   SELECT ctid FROM challenge_session_default
                    WHERE expires_at <= now()
                    LIMIT :batchSize
                      FOR UPDATE SKIP LOCKED))
            """;

    /** {@link #EMPTY_DEFAULT} for Citus, which refuses SKIP LOCKED. It takes up to four times as long. */
    static final String EMPTY_DEFAULT_ON_CITUS = """
            DELETE FROM challenge_session_default
             WHERE (app_id, session_id) IN (
                   SELECT app_id, session_id FROM challenge_session_default
                    WHERE expires_at <= now()
                    LIMIT :batchSize)
            """;

    private static final BatchStatement LIVE =
            new BatchStatement("SELECT key_id, sessions FROM live_sessions(:partition)");

    /** Counts up to a bound: each replica counts every minute, and a full count of many rows would take long. */
    private static final String COUNT_DEFAULT =
            "SELECT count(*) FROM (SELECT 1 FROM challenge_session_default LIMIT 100000) AS counted";

    /** PostgreSQL's order of {@code uuid}. {@link UUID#compareTo} compares signed numbers. */
    private static final Comparator<UUID> BY_BYTES = Comparator.comparing(
                    UUID::getMostSignificantBits, Long::compareUnsigned)
            .thenComparing(UUID::getLeastSignificantBits, Long::compareUnsigned);

    private final double defaultTtlSeconds;
    private final int maxAttempts;
    private final BatchStatement insert = new BatchStatement(INSERT);
    private final BatchStatement insertWithTtls = new BatchStatement(INSERT_WITH_TTLS);
    private final BatchStatement remove = new BatchStatement(REMOVE);
    private final BatchStatement redeem;
    private final BatchStatement countAttempts;
    private final StatementTimeouts timeouts;
    private final Citus citus;
    private final MeterRegistry metrics;
    private final Batcher<ChallengeSession, Insertion> inserts;
    private final Batcher<SessionKey, Optional<ChallengeSession>> lookUps;
    private final Batcher<Redemption, Optional<Instant>> redemptions;
    private final Batcher<SessionKey, Boolean> attempts;
    private final Batcher<SessionKey, Boolean> removals;

    @Inject
    ChallengeSessionRepository(ChallengeConfig config, StatementTimeouts timeouts, Citus citus, MeterRegistry metrics) {
        this(config, config.maxAttempts(), REDEEM, COUNT_ATTEMPTS, timeouts, citus, metrics);
    }

    /** Takes other statements, for the test that shows what each guard is for. */
    ChallengeSessionRepository(
            ChallengeConfig config,
            int maxAttempts,
            String redeem,
            String countAttempts,
            StatementTimeouts timeouts,
            Citus citus,
            MeterRegistry metrics) {
        this.defaultTtlSeconds = config.ttl().toMillis() / 1000.0;
        this.maxAttempts = maxAttempts;
        this.redeem = new BatchStatement(redeem);
        this.countAttempts = new BatchStatement(countAttempts);
        this.timeouts = timeouts;
        this.citus = citus;
        this.metrics = metrics;
        this.inserts = batcher("issue", ChallengeSession::key, this::insertAll);
        this.lookUps = batcher("find", Function.identity(), this::findAll);
        this.redemptions = batcher("redeem", Redemption::key, this::redeemAll);
        this.attempts = batcher("count-attempt", Function.identity(), this::countAll);
        this.removals = batcher("remove", Function.identity(), this::removeAll);
    }

    private <Q, A> Batcher<Q, A> batcher(
            String name, Function<Q, SessionKey> key, Function<List<Q>, List<A>> statement) {
        // On Citus, a statement about one app runs on one shard. Statements about several apps wait for each other's
        // commits.
        Function<Q, String> group =
                question -> citus.isPresent() ? key.apply(question).appId() : "";
        return new Batcher<>(name, timeouts.statement(), metrics, this::connected, key::apply, group, statement);
    }

    void stop(@Observes ShutdownEvent event) throws InterruptedException {
        for (Batcher<?, ?> batcher : List.of(inserts, lookUps, redemptions, attempts, removals)) {
            batcher.stop();
        }
    }

    /** Inserts a session and fills in what the database decides, or tells why it was not inserted. */
    CompletableFuture<Insertion> insert(ChallengeSession session, long deadline) {
        return inserts.ask(session, deadline);
    }

    /**
     * Finds the session of a registered app, as of a moment after this call. An expired session has the state EXPIRED.
     */
    CompletableFuture<Optional<ChallengeSession>> find(SessionKey key, long deadline) {
        return lookUps.ask(key, deadline);
    }

    /** Redeems a session whose code was right. Returns the time; empty when the session can't be redeemed any more. */
    CompletableFuture<Optional<Instant>> redeem(
            SessionKey key, String principal, byte @Nullable [] fingerprint, long deadline) {
        return redemptions.ask(new Redemption(key, principal, fingerprint), deadline);
    }

    /** Counts a wrong code against the session if it is live. Returns whether this call locked the session. */
    CompletableFuture<Boolean> countAttempt(SessionKey key, long deadline) {
        return attempts.ask(key, deadline);
    }

    /** Deletes a live session. Of several concurrent calls, one gets true. */
    CompletableFuture<Boolean> remove(SessionKey key, long deadline) {
        return removals.ask(key, deadline);
    }

    /**
     * Deletes at most {@code batchSize} expired rows of the default partition, in the caller's transaction. Returns how
     * many it deleted.
     */
    int emptyDefault(int batchSize) {
        return getSession()
                .createNativeMutationQuery(citus.isPresent() ? EMPTY_DEFAULT_ON_CITUS : EMPTY_DEFAULT)
                .setParameter("batchSize", batchSize)
                .executeUpdate();
    }

    /** The number of rows in the default partition, at most 100,000. */
    long countDefault() {
        return getSession().createNativeQuery(COUNT_DEFAULT, Long.class).getSingleResult();
    }

    /** How many sessions of a partition still need their key, by the id of the key. */
    Map<String, Long> countLive(String partition) {
        return rows(LIVE, Map.of("partition", partition)).stream()
                .collect(toMap(row -> (String) row[0], row -> (Long) row[1]));
    }

    private void connected(Runnable work) {
        ManagedContext request = Arc.container().requestContext();
        request.activate();
        try {
            getSession().doWork(_ -> work.run());
        } finally {
            request.terminate();
        }
    }

    private List<Insertion> insertAll(List<ChallengeSession> sessions) {
        Map<String, Object> parameters = new HashMap<>();
        parameters.put("apps", texts(sessions, session -> session.appId));
        parameters.put("idTails", texts(sessions, session -> ChallengeSession.idTail(session.sessionId)));
        parameters.put("keys", texts(sessions, session -> session.keyId));
        parameters.put("salts", sessions.stream().map(session -> session.salt).toArray(byte[][]::new));
        parameters.put("issuedTo", texts(sessions, session -> session.issuedTo));
        parameters.put("subjects", sparse(texts(sessions, session -> session.subject)));
        parameters.put("issuers", sparse(texts(sessions, session -> session.subjectIssuer)));
        parameters.put("contexts", sparse(texts(sessions, session -> session.context)));
        parameters.put("codeChallenges", sparse(texts(sessions, session -> session.codeChallenge)));
        @Nullable
        Integer[] ttls =
                sparse(sessions.stream().map(session -> session.ttlSeconds).toArray(Integer[]::new));
        parameters.put("ttls", ttls);
        parameters.put("defaultTtl", defaultTtlSeconds);
        Map<String, Object[]> written = rows(ttls.length == 0 ? insert : insertWithTtls, parameters).stream()
                .collect(toMap(row -> ChallengeSession.idTail((UUID) row[0]), row -> row));
        return sessions.stream()
                .map(session -> insertion(session, written.get(ChallengeSession.idTail(session.sessionId))))
                .toList();
    }

    private static Insertion insertion(ChallengeSession session, Object @Nullable [] row) {
        if (row == null) {
            return new Insertion.UnknownApp();
        } else if (row.length > 4 && row[4] != null) {
            return new Insertion.TtlTooLong((Integer) row[4]);
        }
        session.sessionId = (UUID) row[0];
        session.appGeneration = (Long) row[1];
        session.createdAt = (Instant) row[2];
        session.expiresAt = (Instant) row[3];
        return new Insertion.Done();
    }

    private List<Optional<ChallengeSession>> findAll(List<SessionKey> keys) {
        NativeQuery<ChallengeSession> query = getSession().createNativeQuery(FIND, ChallengeSession.class);
        about(keys.stream().distinct().toList()).forEach(query::setParameter);
        List<UUID> sessions = keys.stream().map(SessionKey::sessionId).toList();
        query.setParameter("least", Collections.min(sessions, BY_BYTES));
        query.setParameter("most", Collections.max(sessions, BY_BYTES));
        Map<SessionKey, ChallengeSession> found =
                query.getResultStream().collect(toMap(ChallengeSession::key, Function.identity()));
        return keys.stream().map(key -> Optional.ofNullable(found.get(key))).toList();
    }

    private List<Optional<Instant>> redeemAll(List<Redemption> redemptions) {
        List<Integer> order = inOrderOfSessions(redemptions, Redemption::key);
        List<Redemption> sorted = order.stream().map(redemptions::get).toList();
        List<Optional<Instant>> redeemed = new ArrayList<>(nCopies(redemptions.size(), Optional.empty()));
        Map<String, Object> parameters =
                about(sorted.stream().map(Redemption::key).toList());
        parameters.put("principals", texts(sorted, Redemption::principal));
        parameters.put(
                "fingerprints", sorted.stream().map(Redemption::fingerprint).toArray(byte[][]::new));
        parameters.put("maxAttempts", maxAttempts);
        rows(redeem, parameters)
                .forEach(row -> redeemed.set(order.get(((Long) row[0]).intValue() - 1), Optional.of((Instant) row[1])));
        return redeemed;
    }

    private List<Boolean> countAll(List<SessionKey> keys) {
        List<Map.Entry<SessionKey, Long>> times =
                keys.stream().collect(groupingBy(key -> key, counting())).entrySet().stream()
                        .sorted(comparing(entry -> entry.getKey().sessionId()))
                        .toList();
        Set<SessionKey> locked = new HashSet<>();
        Map<String, Object> parameters =
                about(times.stream().map(Map.Entry::getKey).toList());
        parameters.put(
                "times",
                times.stream().map(entry -> entry.getValue().intValue()).toArray(Integer[]::new));
        parameters.put("maxAttempts", maxAttempts);
        rows(countAttempts, parameters).forEach(row -> locked.add(new SessionKey((String) row[0], (UUID) row[1])));
        // Of several calls for one session, the first is reported to have locked it.
        return keys.stream().map(locked::remove).toList();
    }

    private List<Boolean> removeAll(List<SessionKey> keys) {
        List<Integer> order = inOrderOfSessions(keys, Function.identity());
        List<Boolean> removed = new ArrayList<>(nCopies(keys.size(), false));
        rows(remove, about(order.stream().map(keys::get).toList()))
                .forEach(row -> removed.set(order.get(((Long) row[0]).intValue() - 1), true));
        return removed;
    }

    /**
     * The positions of the questions in order of session ID. All replicas lock rows in this order, to prevent
     * deadlocks.
     */
    private static <Q> List<Integer> inOrderOfSessions(List<Q> questions, Function<Q, SessionKey> key) {
        return IntStream.range(0, questions.size())
                .boxed()
                .sorted(comparing(position -> key.apply(questions.get(position)).sessionId()))
                .toList();
    }

    private List<Object[]> rows(BatchStatement statement, Map<String, Object> parameters) {
        return getSession().doReturningWork(connection -> statement.rows(connection, parameters));
    }

    private static Map<String, Object> about(List<SessionKey> keys) {
        Map<String, Object> parameters = new HashMap<>();
        parameters.put("apps", texts(keys, SessionKey::appId));
        parameters.put("sessions", keys.stream().map(SessionKey::sessionId).toArray(UUID[]::new));
        parameters.put(
                "distinctApps", keys.stream().map(SessionKey::appId).distinct().toArray(String[]::new));
        return parameters;
    }

    private static <T> @Nullable String[] texts(List<T> all, Function<T, @Nullable String> text) {
        return all.stream().map(text).toArray(String[]::new);
    }

    /**
     * Returns an empty array when all elements are null: it costs nothing to send and means the same to {@code unnest}.
     */
    private static <T> @Nullable T[] sparse(@Nullable T[] values) {
        return Arrays.stream(values).allMatch(Objects::isNull) ? Arrays.copyOf(values, 0) : values;
    }

    /** The outcome of an insert. */
    sealed interface Insertion {

        record Done() implements Insertion {}

        record UnknownApp() implements Insertion {}

        /**
         * The session asked for a longer TTL than its app's.
         *
         * @param most the app's TTL, in seconds
         */
        record TtlTooLong(int most) implements Insertion {}
    }

    // Redemptions are never compared as a whole, so it is harmless that arrays compare by identity.
    @SuppressWarnings("ArrayRecordComponent")
    private record Redemption(SessionKey key, String principal, byte @Nullable [] fingerprint) {}
}
