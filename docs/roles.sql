-- Creates the two roles. Run it in its directory before the first migration, as a superuser or a role with CREATEROLE:
--   psql --set ON_ERROR_STOP=1 --file roles.sql postgres
-- Then set a password for each: \password countersign_owner, \password countersign_service.

-- The migration Job uses it. It owns the database.
CREATE ROLE countersign_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;

-- The replicas use it. Each migration grants it the rights to read and write rows. It can't change the schema, not even
-- by mistake or by injection. It attaches and drops partitions through two functions that run with the owner's rights and
-- check their arguments.
CREATE ROLE countersign_service LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
