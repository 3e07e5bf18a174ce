-- Two roles with no more rights than they need, in the first schema of the search path:
--
--   psql "$ADMIN_URL" -v app=shop_app -v migrator=shop_migrator -f db/roles.sql
--
-- The application's role reads and writes rows; it makes, changes and drops nothing. The
-- migrations' role owns what it makes. Both may log in once they have a password, which
-- psql's \password gives them without a trace in a log. Run by whoever may create roles
-- and owns the schema; again changes nothing.
\set ON_ERROR_STOP on
\set QUIET on
\pset tuples_only on
SELECT format('CREATE ROLE %I LOGIN', name)
FROM (VALUES (:'app'), (:'migrator')) AS roles (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec
SELECT current_schema() AS schema \gset
BEGIN;
SET LOCAL client_min_messages = warning;
REVOKE CREATE ON SCHEMA :"schema" FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA :"schema" TO :"migrator";
GRANT USAGE ON SCHEMA :"schema" TO :"app";
-- What is there, and what the migrations will make.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA :"schema" TO :"app";
-- To grant for another role one must be a member of it.
GRANT :"migrator" TO CURRENT_USER;
ALTER DEFAULT PRIVILEGES FOR ROLE :"migrator" IN SCHEMA :"schema"
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"app";
COMMIT;
