-- name: get_planned_table :one
-- Tells what a table holds here, with its partitions and children; nothing for a name
-- that is no relation of this database. Rows are those of the last ANALYZE, NULL where
-- one of the tables has never seen any.
WITH RECURSIVE family AS (
    SELECT to_regclass(@name::text)::oid AS oid
    UNION
    SELECT i.inhrelid
    FROM family
    JOIN pg_catalog.pg_inherits i ON i.inhparent = family.oid
)

SELECT
    sum(CASE WHEN c.relkind IN ('r', 'm', 't') THEN pg_table_size(c.oid) ELSE 0 END)::bigint AS "size!",
    CASE WHEN bool_and(c.relkind = 'p' OR c.reltuples >= 0) THEN sum(greatest(c.reltuples, 0)) END::bigint AS "rows?",
    (count(*) - 1)::integer AS "children!"
FROM family
JOIN pg_catalog.pg_class c ON c.oid = family.oid
HAVING count(*) > 0;

-- name: get_indexed_table :one
-- Names the table of an index.
SELECT x.indrelid::regclass::text AS "name!"
FROM pg_catalog.pg_index x
WHERE x.indexrelid = to_regclass(@name::text)::oid;

-- name: list_referred_tables :many
-- Names the tables that the foreign keys of a table refer to; with a constraint's or a
-- column's name those alone that it is about.
SELECT DISTINCT k.confrelid::regclass::text AS "name!"
FROM pg_catalog.pg_constraint k
WHERE
    k.contype = 'f'
    AND k.conrelid = to_regclass(@table_name::text)::oid
    AND k.confrelid <> k.conrelid
    AND coalesce(k.conname = sqlc.narg(constraint_name)::text, TRUE)
    AND coalesce(
        (
            SELECT a.attnum = ANY (k.conkey)
            FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = k.conrelid AND a.attname = sqlc.narg(column_name)::text
        ),
        sqlc.narg(column_name)::text IS NULL
    )
ORDER BY 1;

-- name: list_referring_tables :many
-- Names the tables whose foreign keys refer to a column of a table.
SELECT DISTINCT k.conrelid::regclass::text AS "name!"
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = ANY (k.confkey)
WHERE
    k.contype = 'f'
    AND k.confrelid = to_regclass(@table_name::text)::oid
    AND k.confrelid <> k.conrelid
    AND a.attname = @column_name::text
ORDER BY 1;

-- name: list_partitioned_tables :many
-- Names the table that a table is a partition of, if it is one.
SELECT i.inhparent::regclass::text AS "name!"
FROM pg_catalog.pg_inherits i
JOIN pg_catalog.pg_class c ON c.oid = i.inhparent AND c.relkind = 'p'
WHERE i.inhrelid = to_regclass(@name::text)::oid;

-- name: list_tables_of_domain :many
-- Names the tables that have a column of a domain.
SELECT DISTINCT a.attrelid::regclass::text AS "name!"
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'm')
WHERE
    a.atttypid = to_regtype(@name::text)::oid
    AND NOT a.attisdropped
ORDER BY 1;

-- name: is_planned_type_plain :one
-- Tells whether a type is there, and no domain with rules of its own.
SELECT
    EXISTS (
        SELECT FROM pg_catalog.pg_type t
        WHERE
            t.oid = to_regtype(@name::text)::oid
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid)
            AND NOT t.typnotnull
    ) AS "plain!";

-- name: are_functions_stable :one
-- Tells whether no function of these names may give another value for each row.
SELECT
    NOT EXISTS (
        SELECT FROM unnest(@names::text []) AS wanted (name)
        WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.proname = wanted.name)
    )
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_proc p
        WHERE p.proname = ANY (@names::text []) AND p.provolatile = 'v'
    ) AS "stable!";

-- name: is_backend :one
-- Tells whether the session that answers is the one that was connected to: behind a
-- pooler, whatever its name and port, it is another.
SELECT pg_backend_pid() = @backend_pid::integer AS "same!";

-- name: get_lock_timeout :one
-- Tells how long this session waits for a lock, in milliseconds, and whether its client
-- has said so.
SELECT
    s.setting::bigint AS "milliseconds!",
    s.source = 'client' AS "is_client_s!"
FROM pg_catalog.pg_settings s
WHERE s.name = 'lock_timeout';
