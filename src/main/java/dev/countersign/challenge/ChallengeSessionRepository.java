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
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.hibernate.query.NativeQuery;
import org.jspecify.annotations.Nullable;

/**
 * The one gateway to the rows of {@code challenge_session}. Concurrent callers share statements ({@link Batcher}), each in
 * a transaction of its own without a BEGIN. What writes asks for a durable commit itself: a session's setting gets lost
 * behind a pooler. Every deadline is a {@link System#nanoTime}; each answer is an UnavailableException when the database
 * could not be asked, or failed and may have done it all the same. {@code IS TRUE} keeps a comparison of times out of a plan's
 * index: a session is found by its whole key, in a large default partition too.
 */
@ApplicationScoped
class ChallengeSessionRepository implements PanacheRepositoryBase<ChallengeSession, SessionKey> {

    /**
     * The join refuses unknown apps as of now, and the database's clock gives the times. A session that asks for more than
     * its app's TTL is left out.
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

    /** The same for a batch in which a session asks for a TTL: also tells which ask for too much, and how much they may. */
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
     * A look-up by the whole key for each, so that each touches one partition. The clock in the list of columns keeps the
     * inner query as it is; {@code ANY} is for a distributed database, which picks its shards by it, and its collation keeps
     * it away from the index.
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
                      AND session.app_id COLLATE "C" = ANY (cast(:distinctApps AS text[]))) AS found
            """;

    /**
     * Of several attempts at a session one succeeds, also within a statement. {@code ANY (ARRAY[…])} leaves the planner
     * nothing to merge by, so that it looks each session up by its key; the other {@code ANY} is as above. The last line
     * looks at the clock after any wait for a lock: who comes too late divides by zero, is rolled back, and finds nothing
     * when asked alone.
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

    /** Commits durably even when there is nothing to count, or its time would tell a live token from none. */
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

    /** The last line is as in a redeem. */
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

    /** By ctid, as it takes what is there and not what a key names. */
    static final String EMPTY_DEFAULT = """
            DELETE FROM challenge_session_default
             WHERE ctid = ANY (ARRAY (
                   SELECT ctid FROM challenge_session_default
                    WHERE expires_at <= now()
                    LIMIT :batchSize
                      FOR UPDATE SKIP LOCKED))
            """;

    private static final String LIVE = "SELECT key_id, sessions FROM live_sessions(:partition)";

    /** Up to a bound: a count of many would take long, each minute on each replica. */
    private static final String COUNT_DEFAULT =
            "SELECT count(*) FROM (SELECT FROM challenge_session_default LIMIT 100000) AS counted";

    private final double defaultTtlSeconds;
    private final int maxAttempts;
    private final String redeem;
    private final String countAttempts;
    private final StatementTimeouts timeouts;
    private final MeterRegistry metrics;
    private final Batcher<Creation, Insertion> inserts;
    private final Batcher<SessionKey, Optional<ChallengeSession>> lookUps;
    private final Batcher<Redemption, Optional<Instant>> redemptions;
    private final Batcher<SessionKey, Boolean> attempts;
    private final Batcher<SessionKey, Boolean> removals;

    @Inject
    ChallengeSessionRepository(ChallengeConfig config, StatementTimeouts timeouts, MeterRegistry metrics) {
        this(config, config.maxAttempts(), REDEEM, COUNT_ATTEMPTS, timeouts, metrics);
    }

    /** With other statements, for the test that shows what each guard is for. */
    ChallengeSessionRepository(
            ChallengeConfig config,
            int maxAttempts,
            String redeem,
            String countAttempts,
            StatementTimeouts timeouts,
            MeterRegistry metrics) {
        this.defaultTtlSeconds = config.ttl().toMillis() / 1000.0;
        this.maxAttempts = maxAttempts;
        this.redeem = redeem;
        this.countAttempts = countAttempts;
        this.timeouts = timeouts;
        this.metrics = metrics;
        this.inserts = batcher("issue", creation -> creation.session.sessionId, this::insertAll);
        this.lookUps = batcher("find", key -> key, this::findAll);
        this.redemptions = batcher("redeem", Redemption::key, this::redeemAll);
        this.attempts = batcher("count-attempt", key -> key, this::countAll);
        this.removals = batcher("remove", key -> key, this::removeAll);
    }

    private <Q, A> Batcher<Q, A> batcher(String name, Function<Q, Object> row, Function<List<Q>, List<A>> statement) {
        return new Batcher<>(name, timeouts.statement(), metrics, this::connected, row, statement);
    }

    void stop(@Observes ShutdownEvent event) throws InterruptedException {
        for (Batcher<?, ?> batcher : List.of(inserts, lookUps, redemptions, attempts, removals)) {
            batcher.stop();
        }
    }

    /**
     * Inserts a session and completes it with what the database decides, or says why it did not.
     *
     * @param ttlSeconds how long the session lives; null for as long as its app's do
     */
    CompletableFuture<Insertion> insert(ChallengeSession session, @Nullable Integer ttlSeconds, long deadline) {
        return inserts.ask(new Creation(session, ttlSeconds), deadline);
    }

    /** The session of a registered app as of a moment after this call, if its row is there. */
    CompletableFuture<Optional<ChallengeSession>> find(SessionKey key, long deadline) {
        return lookUps.ask(key, deadline);
    }

    /** Redeems a session whose code was found right; gives the time, or empty when it was not to be redeemed any more. */
    CompletableFuture<Optional<Instant>> redeem(
            SessionKey key, String principal, byte @Nullable [] fingerprint, long deadline) {
        return redemptions.ask(new Redemption(key, principal, fingerprint), deadline);
    }

    /** Counts a wrong code against the session if it is live; tells whether this one locked it. */
    CompletableFuture<Boolean> countAttempt(SessionKey key, long deadline) {
        return attempts.ask(key, deadline);
    }

    /** Deletes a live session; of several at once, one gets true. */
    CompletableFuture<Boolean> remove(SessionKey key, long deadline) {
        return removals.ask(key, deadline);
    }

    /** Deletes so many expired rows of the default partition at most, in the transaction of the caller; returns how many. */
    int emptyDefault(int batchSize) {
        return getSession()
                .createNativeMutationQuery(EMPTY_DEFAULT)
                .setParameter("batchSize", batchSize)
                .executeUpdate();
    }

    /** How many rows the default partition holds, 100,000 at most. */
    long countDefault() {
        return getSession().createNativeQuery(COUNT_DEFAULT, Long.class).getSingleResult();
    }

    /** The live sessions of a partition by the id of their key. */
    Map<String, Long> countLive(String partition) {
        return rows(LIVE, query -> query.setParameter("partition", partition)).stream()
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

    private List<Insertion> insertAll(List<Creation> creations) {
        List<ChallengeSession> sessions =
                creations.stream().map(Creation::session).toList();
        boolean withTtls = creations.stream().anyMatch(creation -> creation.ttlSeconds != null);
        Map<String, Object[]> written = rows(
                        withTtls ? INSERT_WITH_TTLS : INSERT,
                        query -> query.setParameter("apps", texts(sessions, s -> s.appId))
                                .setParameter("idTails", texts(sessions, s -> ChallengeSession.idTail(s.sessionId)))
                                .setParameter("keys", texts(sessions, s -> s.keyId))
                                .setParameter("salts", bytes(sessions, s -> s.salt))
                                .setParameter("issuedTo", texts(sessions, s -> s.issuedTo))
                                .setParameter("subjects", sparse(texts(sessions, s -> s.subject)))
                                .setParameter("issuers", sparse(texts(sessions, s -> s.subjectIssuer)))
                                .setParameter("contexts", sparse(texts(sessions, s -> s.context)))
                                .setParameter("codeChallenges", sparse(texts(sessions, s -> s.codeChallenge)))
                                .setParameter(
                                        "ttls",
                                        withTtls
                                                ? creations.stream()
                                                        .map(Creation::ttlSeconds)
                                                        .toArray(Integer[]::new)
                                                : new Integer[0])
                                .setParameter("defaultTtl", defaultTtlSeconds))
                .stream()
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
        Map<SessionKey, ChallengeSession> found = about(
                        keys.stream().distinct().toList(), getSession().createNativeQuery(FIND, ChallengeSession.class))
                .getResultStream()
                .collect(toMap(ChallengeSession::key, Function.identity()));
        return keys.stream().map(key -> Optional.ofNullable(found.get(key))).toList();
    }

    private List<Optional<Instant>> redeemAll(List<Redemption> redemptions) {
        List<Integer> order = inOrderOfSessions(redemptions, Redemption::key);
        List<Redemption> sorted = order.stream().map(redemptions::get).toList();
        List<Optional<Instant>> redeemed = new ArrayList<>(nCopies(redemptions.size(), Optional.empty()));
        rows(
                        redeem,
                        query -> about(sorted.stream().map(Redemption::key).toList(), query)
                                .setParameter("principals", texts(sorted, Redemption::principal))
                                .setParameter(
                                        "fingerprints",
                                        sorted.stream()
                                                .map(Redemption::fingerprint)
                                                .toArray(byte[][]::new))
                                .setParameter("maxAttempts", maxAttempts))
                .forEach(row -> redeemed.set(order.get(((Long) row[0]).intValue() - 1), Optional.of((Instant) row[1])));
        return redeemed;
    }

    private List<Boolean> countAll(List<SessionKey> keys) {
        List<Map.Entry<SessionKey, Long>> times =
                keys.stream().collect(groupingBy(key -> key, counting())).entrySet().stream()
                        .sorted(comparing(entry -> entry.getKey().sessionId()))
                        .toList();
        Set<SessionKey> locked = new HashSet<>();
        rows(
                        countAttempts,
                        query -> about(times.stream().map(Map.Entry::getKey).toList(), query)
                                .setParameter(
                                        "times",
                                        times.stream()
                                                .map(entry -> entry.getValue().intValue())
                                                .toArray(Integer[]::new))
                                .setParameter("maxAttempts", maxAttempts))
                .forEach(row -> locked.add(new SessionKey((String) row[0], (UUID) row[1])));
        // Of several at one session, the first is said to have locked it.
        return keys.stream().map(locked::remove).toList();
    }

    private List<Boolean> removeAll(List<SessionKey> keys) {
        List<Integer> order = inOrderOfSessions(keys, Function.identity());
        List<Boolean> removed = new ArrayList<>(nCopies(keys.size(), false));
        rows(REMOVE, query -> about(order.stream().map(keys::get).toList(), query))
                .forEach(row -> removed.set(order.get(((Long) row[0]).intValue() - 1), true));
        return removed;
    }

    /** Rows are locked in one order by all replicas, so that they never wait for each other in a circle. */
    private static <Q> List<Integer> inOrderOfSessions(List<Q> questions, Function<Q, SessionKey> key) {
        return IntStream.range(0, questions.size())
                .boxed()
                .sorted(comparing(position -> key.apply(questions.get(position)).sessionId()))
                .toList();
    }

    private List<Object[]> rows(String sql, UnaryOperator<NativeQuery<Object[]>> parameters) {
        return parameters
                .apply(getSession().createNativeQuery(sql, Object[].class))
                .getResultList();
    }

    private static <T> NativeQuery<T> about(List<SessionKey> keys, NativeQuery<T> query) {
        return query.setParameter("apps", texts(keys, SessionKey::appId))
                .setParameter(
                        "sessions", keys.stream().map(SessionKey::sessionId).toArray(UUID[]::new))
                .setParameter(
                        "distinctApps",
                        keys.stream().map(SessionKey::appId).distinct().toArray(String[]::new));
    }

    private static <T> @Nullable String[] texts(List<T> all, Function<T, @Nullable String> text) {
        return all.stream().map(text).toArray(String[]::new);
    }

    /** Without elements when all are null, which costs nothing to send and means the same to {@code unnest}. */
    private static @Nullable String[] sparse(@Nullable String[] texts) {
        return Arrays.stream(texts).allMatch(Objects::isNull) ? new String[0] : texts;
    }

    private static <T> byte @Nullable [][] bytes(List<T> all, Function<T, byte @Nullable []> bytes) {
        return all.stream().map(bytes).toArray(byte[][]::new);
    }

    /** What became of an insert. */
    sealed interface Insertion {

        record Done() implements Insertion {}

        record UnknownApp() implements Insertion {}

        /**
         * It asked to live for longer than its app's sessions do.
         *
         * @param most how long those live, in seconds
         */
        record TtlTooLong(int most) implements Insertion {}
    }

    private record Creation(
            ChallengeSession session, @Nullable Integer ttlSeconds) {}

    // Never compared as a whole, so the array's identity does no harm.
    @SuppressWarnings("ArrayRecordComponent")
    private record Redemption(SessionKey key, String principal, byte @Nullable [] fingerprint) {}
}
