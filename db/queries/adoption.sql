-- name: get_ledgers :one
-- @exactly-one
-- Tells whose ledgers of migrations the database has.
SELECT
    to_regclass('drizzle.__drizzle_migrations') IS NOT NULL AS of_drizzle,
    to_regclass('public.schema_migrations') IS NOT NULL AS of_dbmate;

-- name: count_unvalidated_constraints :one
-- Counts the rules that old rows have not been held to yet.
SELECT count(*)
FROM pg_catalog.pg_constraint
WHERE NOT convalidated AND connamespace = 'public'::regnamespace;
