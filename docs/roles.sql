-- The service's own role: it reads and writes rows, and can't change the schema, not even by mistake or by injection.
-- Partitions come and go through two functions that run with their owner's rights and check what they are asked.
--
-- Run it once, after the first migration, as the schema's owner (or a superuser) in the service's database, with
--   psql --set ON_ERROR_STOP=1 --file docs/roles.sql
-- and give the role its password: \password countersign_service
CREATE ROLE countersign_service LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;

-- PostgreSQL before 15 lets everybody create in this schema.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO countersign_service;

GRANT SELECT, INSERT, UPDATE, DELETE ON app TO countersign_service;

-- The rights on the parent cover its partitions, for all that goes through the parent.
GRANT SELECT, INSERT, UPDATE, DELETE ON challenge_session TO countersign_service;
-- Which the purge empties by name.
GRANT SELECT, UPDATE, DELETE ON challenge_session_default TO countersign_service;

-- Which tell whether all replicas have the same keys; no replica changes one.
GRANT SELECT, INSERT ON key_check TO countersign_service;

GRANT SELECT, INSERT, UPDATE, DELETE ON limit_bucket TO countersign_service;

GRANT SELECT ON challenge_session_partition TO countersign_service;
GRANT EXECUTE ON FUNCTION default_partition_is_small() TO countersign_service;
GRANT EXECUTE ON FUNCTION missing_session_slots() TO countersign_service;
GRANT EXECUTE ON FUNCTION attach_session_partition(timestamptz) TO countersign_service;
GRANT EXECUTE ON FUNCTION drop_session_partition(text) TO countersign_service;

-- At start it checks that the schema is not older than itself.
GRANT SELECT ON flyway_schema_history TO countersign_service;
