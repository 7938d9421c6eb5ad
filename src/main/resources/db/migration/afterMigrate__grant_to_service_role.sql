-- Grants the service's own role the rights to read and write rows, and none to the schema. Flyway runs this at the end
-- of each migration, even if there was nothing to migrate, so a role that was created later gets its rights too. Only
-- missing rights are granted. Without the role there is nothing to do: the service then runs as the owner.
--
-- Whoever adds a table, a view or a function adds it here. Partitions need no rights: those on the parent cover all
-- access through the parent.
DO $$
DECLARE
    service CONSTANT regrole := to_regrole('countersign_service');
    lacking record;
BEGIN
    IF service IS NULL THEN
        RETURN;
    END IF;
    -- Otherwise, two replicas that migrate at the same time would change the same rows of the catalogue.
    PERFORM pg_advisory_xact_lock(hashtext('countersign.grants'));
    IF NOT has_schema_privilege(service, current_schema(), 'USAGE') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO %s', current_schema(), service);
    END IF;
    FOR lacking IN
        SELECT privilege, relation
          FROM (VALUES
                   ('app',                         'SELECT, INSERT, UPDATE, DELETE'),
                   ('challenge_session',           'SELECT, INSERT, UPDATE, DELETE'),
                   -- The purge deletes expired rows from this partition directly, not through the parent.
                   ('challenge_session_default',   'SELECT, UPDATE, DELETE'),
                   ('challenge_session_partition', 'SELECT'),
                   ('limit_bucket',                'SELECT, INSERT, UPDATE, DELETE'),
                   -- No replica may change an existing check value.
                   ('key_check',                   'SELECT, INSERT'),
                   -- A replica checks that the schema is not older than itself.
                   ('${flyway:table}',             'SELECT')
               ) AS may (relation, privileges)
         CROSS JOIN regexp_split_to_table(privileges, ', ') AS privilege
         WHERE to_regclass(quote_ident(relation)) IS NOT NULL
           AND NOT has_table_privilege(service, quote_ident(relation), privilege)
    LOOP
        EXECUTE format('GRANT %s ON %I TO %s', lacking.privilege, lacking.relation, service);
    END LOOP;
    FOR lacking IN
        SELECT function
          FROM unnest(ARRAY[
                   'session_id_prefix(timestamptz)',
                   'session_id_floor(timestamptz)',
                   'default_partition_is_small()',
                   'missing_session_slots()',
                   'attach_session_partition(timestamptz)',
                   'drop_session_partition(text)',
                   'live_sessions(text)'
               ]) AS function
         WHERE to_regprocedure(function) IS NOT NULL
           AND NOT has_function_privilege(service, function, 'EXECUTE')
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', lacking.function, service);
    END LOOP;
END
$$;
