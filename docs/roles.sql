-- The two roles, before the first migration: as a superuser, or a role with CREATEROLE, with
--   psql --set ON_ERROR_STOP=1 --file docs/roles.sql
-- and then a password for each: \password countersign_owner, \password countersign_service.

-- Owns the database, and migrates.
CREATE ROLE countersign_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;

-- Serves. Each migration grants it what it needs: to read and write rows. It can't change the schema, not even by mistake
-- or by injection. Partitions come and go through two functions that run with the owner's rights and check what they are
-- asked.
CREATE ROLE countersign_service LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
