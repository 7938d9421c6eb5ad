package dev.countersign;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.countersign.support.PostgresServer;
import dev.countersign.support.Program;
import dev.countersign.support.ServiceClient;
import dev.countersign.support.ServiceClient.Token;
import dev.countersign.support.ServiceProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** As docs/operations.md sets production up: one role migrates, another one serves and can't change the schema. */
class RestrictedRoleIT {

    private static final String ROLE = "countersign_service";
    private static final String OWNER = "countersign_owner";
    private static final String PASSWORD = "restricted";
    private static final String INSUFFICIENT_PRIVILEGE = "42501";

    /** Which the tests' services don't reach: the purge has it attached. */
    private static final String DUE_SLOT = "date_bin('5 minutes', now(), timestamptz 'epoch') - interval '5 minutes'";

    private static final Map<String, String> RESTRICTED = Map.of(
            "quarkus.datasource.username", ROLE,
            "quarkus.datasource.password", PASSWORD,
            "quarkus.flyway.migrate-at-start", "false",
            "quarkus.flyway.validate-at-start", "true",
            "countersign.purge.every", "1s",
            "countersign.apps.configured.ttl-seconds", "60");

    private static PostgresServer database;

    /** In the order of the page: the roles, then the migration; nothing after it. */
    @BeforeAll
    static void migrate() throws IOException {
        database = PostgresServer.start();
        database.execute(Files.readString(Path.of("docs", "roles.sql")));
        for (String role : List.of(OWNER, ROLE)) {
            database.execute("ALTER ROLE " + role + " PASSWORD '" + PASSWORD + "'");
        }
        database.execute("ALTER DATABASE postgres OWNER TO " + OWNER);
        // As where nobody may call a function that wasn't granted. PostgreSQL's own default lets everybody call it.
        database.execute("ALTER DEFAULT PRIVILEGES FOR ROLE " + OWNER + " REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC");
        assertThatThrownBy(() -> ServiceProcess.start(
                        database,
                        Map.of("quarkus.flyway.migrate-at-start", "false", "quarkus.flyway.validate-at-start", "true")))
                .as("a replica that is newer than the schema does not start")
                .isInstanceOf(IllegalStateException.class);
        migrate(database.jdbcUrl());
        database.execute("INSERT INTO app (app_id) VALUES ('demo')");
        expired();
    }

    /** As the Job does, by a role that owns the database and is no superuser. */
    private static void migrate(String jdbcUrl) {
        Program.Run migration = ServiceProcess.runToEnd(
                database,
                Map.of(
                        "quarkus.datasource.jdbc.url", jdbcUrl,
                        "quarkus.datasource.username", OWNER,
                        "quarkus.datasource.password", PASSWORD,
                        "quarkus.init-and-exit", "true",
                        "quarkus.flyway.migrate-at-start", "true"));
        assertThat(migration.exit()).as(migration.out()).isZero();
    }

    @AfterAll
    static void stop() {
        database.close();
    }

    @Test
    void serviceWorksInAnotherSchema() {
        database.execute("CREATE SCHEMA codes AUTHORIZATION " + OWNER);
        String url = database.jdbcUrl() + "?currentSchema=codes";
        migrate(url);
        Map<String, String> settings = new HashMap<>(RESTRICTED);
        settings.put("quarkus.datasource.jdbc.url", url);
        try (ServiceProcess service = ServiceProcess.start(database, settings);
                ServiceClient client = new ServiceClient(service.baseUri())) {
            Token token = Token.of(client.create("configured"));
            assertThat(client.redeem("configured", token.session(), token.code())
                            .isSuccess())
                    .isTrue();
        }
    }

    /** Who adds a table and forgets the role sees it here, and not in production. */
    @Test
    void roleMayUseAllThatTheSchemaHas() throws SQLException {
        assertThat(ask("""
                SELECT string_agg(relname, ', ')
                  FROM pg_class
                 WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v') AND NOT relispartition
                   AND NOT has_table_privilege('countersign_service', oid, 'SELECT')
                """)).isNull();
        assertThat(ask("""
                SELECT string_agg(oid::regprocedure::text, ', ')
                  FROM pg_proc
                 WHERE pronamespace = 'public'::regnamespace
                   AND NOT has_function_privilege('countersign_service', oid, 'EXECUTE')
                """)).isNull();
    }

    /** It is granted only what it lacks, and what a later migration brings. */
    @Test
    void roleThatIsMadeLaterGetsItsRightsByTheNextMigration() throws SQLException {
        database.execute("CREATE SCHEMA later AUTHORIZATION " + OWNER);
        String url = database.jdbcUrl() + "?currentSchema=later";
        migrate(url);
        database.execute("REVOKE ALL ON ALL TABLES IN SCHEMA later FROM " + ROLE);
        migrate(url);
        assertThat(ask("SELECT has_table_privilege('countersign_service', 'later.app', 'INSERT')::text"))
                .isEqualTo("true");
    }

    @Test
    void everyOperationAndThePurgeWorkWithoutARightToTheSchema() {
        try (ServiceProcess service = ServiceProcess.start(database, RESTRICTED);
                ServiceClient client = new ServiceClient(service.baseUri())) {
            Token token = Token.of(client.create("demo"));
            assertThat(client.read("demo", token.session()).member("challengeCode"))
                    .isEqualTo(token.code());
            assertThat(client.redeem("demo", token.session(), "wrong").status()).isEqualTo(404);
            assertThat(client.redeem("demo", token.session(), token.code()).isSuccess())
                    .isTrue();
            Token other = Token.of(client.create("demo"));
            assertThat(client.remove("demo", other.session()).isSuccess()).isTrue();
            await().atMost(Duration.ofSeconds(15))
                    .untilAsserted(() -> assertThat(ask("SELECT count(*) FILTER (WHERE ends_at > now()) || ' ahead, '"
                                    + " || count(*) FILTER (WHERE ends_at <= now()) || ' expired, '"
                                    + " || (SELECT count(*) FROM challenge_session_default WHERE expires_at <= now())"
                                    + " || ' left' FROM challenge_session_partition"))
                            .matches("1[89] ahead, 0 expired, 0 left"));
        }
    }

    @Test
    void roleCountsSessionsOfPartitionsThatItMayNotRead() throws SQLException {
        database.execute("""
                SELECT attach_session_partition(date_bin('5 minutes', now(), timestamptz 'epoch'));
                INSERT INTO challenge_session
                       (app_id, app_generation, session_id, key_id, salt, issued_to, created_at, expires_at)
                SELECT 'demo', 0, (session_id_prefix(expiry) || '80008000000000000002')::uuid, 'counted',
                       decode('00112233445566778899aabbccddeeff', 'hex'), 'new', now(), expiry
                  FROM (SELECT ends_at - interval '1 millisecond' AS expiry FROM challenge_session_partition
                         WHERE ends_at > now() ORDER BY ends_at LIMIT 1);
                """);
        try (Connection connection = DriverManager.getConnection(database.jdbcUrl(), ROLE, PASSWORD);
                Statement restricted = connection.createStatement();
                ResultSet row = restricted.executeQuery("""
                        SELECT sessions FROM challenge_session_partition, live_sessions(name) WHERE key_id = 'counted'
                        """)) {
            assertThat(row.next()).isTrue();
            assertThat(row.getLong(1)).isEqualTo(1);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "CREATE TABLE mine (id integer)",
                "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql RETURN 1",
                "ALTER TABLE app ADD COLUMN mine integer",
                "ALTER TABLE challenge_session DETACH PARTITION challenge_session_default",
                "DROP TABLE challenge_session",
                "DROP TABLE challenge_session_default",
                "DROP FUNCTION drop_session_partition(text)",
                "TRUNCATE challenge_session",
                "CREATE INDEX ON challenge_session (created_at)",
                "CREATE OR REPLACE FUNCTION drop_session_partition(partition text) RETURNS boolean"
                        + " LANGUAGE sql RETURN true",
                "UPDATE flyway_schema_history SET success = false",
                "UPDATE key_check SET check_value = NULL",
                "DELETE FROM key_check",
                "ALTER TABLE challenge_session_default DROP CONSTRAINT mine",
                "CREATE ROLE mine",
                "COPY app TO PROGRAM 'true'"
            })
    void roleCannotChangeTheSchema(String statement) throws SQLException {
        try (Connection connection = DriverManager.getConnection(database.jdbcUrl(), ROLE, PASSWORD);
                Statement restricted = connection.createStatement()) {
            assertThatThrownBy(() -> restricted.execute(statement))
                    .isInstanceOfSatisfying(
                            SQLException.class,
                            e -> assertThat(e.getSQLState()).as(e.getMessage()).isEqualTo(INSUFFICIENT_PRIVILEGE));
        }
    }

    /** However long a list of them it asks for. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "timestamptz '1969-12-31 23:55:00+00'",
                "date_bin('5 minutes', now(), timestamptz 'epoch') + interval '1 minute'",
                "date_bin('5 minutes', now(), timestamptz 'epoch') - interval '15 minutes'",
                "date_bin('5 minutes', now(), timestamptz 'epoch') + interval '95 minutes'",
                "timestamptz 'infinity'",
                "NULL"
            })
    void roleCannotAttachWhatIsNotDue(String slot) throws SQLException {
        try (Connection connection = DriverManager.getConnection(database.jdbcUrl(), ROLE, PASSWORD);
                Statement restricted = connection.createStatement()) {
            assertThatThrownBy(() -> restricted.execute("SELECT attach_session_partition(" + slot + ")"))
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("no partition is due at");
        }
    }

    /** PostgreSQL looks among temporary tables first, where a search path doesn't say otherwise. */
    @Test
    void roleCannotMakeTheOwnersFunctionsTakeItsOwnTablesForTheirs() throws SQLException {
        try (Connection connection = DriverManager.getConnection(database.jdbcUrl(), ROLE, PASSWORD);
                Statement restricted = connection.createStatement()) {
            connection.setAutoCommit(false);
            restricted.execute("""
                    CREATE TEMPORARY TABLE challenge_session_partition (name text, starts_at timestamptz, ends_at timestamptz);
                    INSERT INTO challenge_session_partition VALUES ('app', '-infinity', '-infinity');
                    GRANT SELECT ON challenge_session_partition TO PUBLIC;
                    CREATE TEMPORARY TABLE challenge_session_default (key_id text, state text, expires_at timestamptz);
                    INSERT INTO challenge_session_default VALUES ('forged', 'issued', 'infinity');
                    GRANT SELECT ON challenge_session_default TO PUBLIC;
                    """);
            assertThat(answer(restricted, "SELECT drop_session_partition('app')"))
                    .isEqualTo("f");
            assertThat(answer(
                            restricted,
                            "SELECT count(*) FROM live_sessions('challenge_session_default')"
                                    + " WHERE key_id = 'forged'"))
                    .isEqualTo("0");
            assertThat(answer(restricted, "SELECT attach_session_partition(" + DUE_SLOT + ")"))
                    .isEqualTo("attached");
            connection.rollback();
        }
    }

    /** A partition and a row of the default one, which only the purge gets rid of. */
    private static void expired() {
        database.execute("""
                DO $$
                DECLARE
                    slot timestamptz := date_bin('5 minutes', now(), timestamptz 'epoch') - interval '10 minutes';
                BEGIN
                    EXECUTE format('CREATE TABLE %I PARTITION OF challenge_session FOR VALUES FROM (%L) TO (%L)',
                        'challenge_session_p' || extract(epoch FROM slot)::bigint,
                        session_id_floor(slot), session_id_floor(slot + interval '5 minutes'));
                END
                $$;
                INSERT INTO challenge_session
                       (app_id, app_generation, session_id, key_id, salt, issued_to, created_at, expires_at)
                SELECT 'demo', 0, (session_id_prefix(expiry) || '80008000000000000001')::uuid, 'test',
                       decode('00112233445566778899aabbccddeeff', 'hex'), 'old', expiry - interval '1 hour', expiry
                  FROM (SELECT now() - interval '1 day' AS expiry);
                """);
    }

    private static String ask(String sql) throws SQLException {
        try (Connection connection = database.connect();
                Statement statement = connection.createStatement()) {
            return answer(statement, sql);
        }
    }

    private static String answer(Statement statement, String sql) throws SQLException {
        try (ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }
}
