-- name: list_invalid_indexes :many
-- Lists the indexes that no query uses, since the CREATE INDEX CONCURRENTLY or REINDEX
-- CONCURRENTLY that made them was interrupted, or is still at it: then the session is
-- there, too (where the role may see it). Those of another schema that has a ledger of its
-- own are another store's.
SELECT
    pg_class.oid::bigint AS "index_id!",
    pg_class.oid::regclass::text AS "index_name!",
    pg_class.relname::text AS "bare_name!",
    pg_index.indrelid::regclass::text AS "table_name!",
    heap.relname::text AS "bare_table!",
    pg_stat_progress_create_index.pid::integer AS "builder_pid?"
FROM pg_catalog.pg_index
JOIN pg_catalog.pg_class ON pg_class.oid = pg_index.indexrelid
JOIN pg_catalog.pg_class AS heap ON heap.oid = pg_index.indrelid
LEFT JOIN pg_catalog.pg_stat_progress_create_index
    ON pg_stat_progress_create_index.index_relid = pg_index.indexrelid
WHERE
    NOT pg_index.indisvalid
    AND pg_class.relkind = 'i'
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_class AS ledger
        WHERE
            ledger.relname = 'schema_migrations'
            AND ledger.relnamespace = heap.relnamespace
            AND ledger.relnamespace IS DISTINCT FROM to_regnamespace(quote_ident(current_schema()))
    )
ORDER BY pg_class.oid::regclass::text;

-- name: try_migration_lock :one
-- Takes the lock that dbmate takes with --migration-lock, for the session, unless another
-- has it. Never waits for it: CREATE INDEX CONCURRENTLY waits for every statement that
-- runs, a waiting one of ours, too, so that both would wait for ever.
SELECT pg_try_advisory_lock(48372615) AS "taken!";

-- name: list_migration_lock_holders :many
-- Lists the sessions that hold the migration lock in this database.
SELECT
    pg_locks.pid AS "pid!",
    pg_stat_activity.backend_start AS "since?"
FROM pg_catalog.pg_locks
LEFT JOIN pg_catalog.pg_stat_activity ON pg_stat_activity.pid = pg_locks.pid
WHERE
    pg_locks.locktype = 'advisory'
    AND pg_locks.granted
    AND (pg_locks.classid, pg_locks.objid, pg_locks.objsubid) = (0, 48372615, 1)
    AND pg_locks.database = (
        SELECT pg_database.oid FROM pg_catalog.pg_database
        WHERE pg_database.datname = current_database()
    );

-- name: list_sessions_of :many
-- Lists the sessions in this database that go by an application's name.
SELECT
    pg_stat_activity.pid AS "pid!",
    pg_stat_activity.backend_start AS "since?"
FROM pg_catalog.pg_stat_activity
WHERE
    pg_stat_activity.application_name = @application_name
    AND pg_stat_activity.datname = current_database()
ORDER BY pg_stat_activity.pid;

-- name: end_sessions_of :many
-- Ends the sessions in this database that go by an application's name, but its own, and
-- waits up to 5 seconds for each. False where it has not ended by then.
SELECT pg_terminate_backend(pg_stat_activity.pid, 5000) AS "ended!"
FROM pg_catalog.pg_stat_activity
WHERE
    pg_stat_activity.application_name = @application_name
    AND pg_stat_activity.datname = current_database()
    AND pg_stat_activity.pid <> pg_backend_pid();

-- name: list_sessions_before :many
-- Lists the sessions for which another one waits, by the begin of their transactions.
SELECT
    pg_stat_activity.pid AS "pid!",
    pg_stat_activity.xact_start AS "since?"
FROM pg_catalog.pg_stat_activity
WHERE pg_stat_activity.pid = ANY(pg_blocking_pids(sqlc.arg(pid)::integer))
ORDER BY pg_stat_activity.xact_start, pg_stat_activity.pid;

-- name: list_abandoned_databases :many
-- Lists this role's databases whose names begin so and whose owners are gone: for each
-- there was a session of that application's name from before it was created.
SELECT pg_database.datname::text AS "name!"
FROM pg_catalog.pg_database
JOIN pg_catalog.pg_roles ON pg_roles.oid = pg_database.datdba
WHERE
    starts_with(pg_database.datname::text, @prefix)
    AND pg_roles.rolname = current_user
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_stat_activity
        WHERE
            pg_stat_activity.application_name = pg_database.datname
            OR pg_stat_activity.datname = pg_database.datname
    );

-- name: list_tables :many
-- Lists the tables of a schema, by name.
SELECT
    c.relname::text AS name,
    obj_description(c.oid, 'pg_class')::text AS "comment?"
FROM pg_catalog.pg_class c
WHERE c.relnamespace = (@schema::text)::regnamespace AND c.relkind = 'r'
ORDER BY c.relname;

-- name: list_columns :many
-- Lists the columns of a schema's tables, in the tables' order.
SELECT
    c.relname::text AS table_name,
    a.attname::text AS name,
    format_type(a.atttypid, a.atttypmod)::text AS "type!",
    a.attnotnull AS is_not_null,
    CASE WHEN a.attidentity = '' THEN pg_get_expr(d.adbin, d.adrelid) ELSE 'identity' END::text AS "default?",
    col_description(c.oid, a.attnum::integer)::text AS "comment?"
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = (@schema::text)::regnamespace AND c.relkind = 'r'
ORDER BY c.relname, a.attnum;

-- name: list_constraints :many
-- Lists the constraints of a schema's tables, by their kind (p, u, f, c, x) and name.
-- NOT NULL, which only PostgreSQL 18 lists here, is left to the columns.
SELECT
    c.relname::text AS table_name,
    k.conname::text AS name,
    k.contype::text AS kind,
    pg_get_constraintdef(k.oid)::text AS "definition!",
    (
        SELECT string_agg(a.attname, ', ' ORDER BY array_position(k.conkey, a.attnum))
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
    )::text AS "columns?",
    r.relname::text AS referenced_table,
    obj_description(k.oid, 'pg_constraint')::text AS "comment?"
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
LEFT JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
WHERE c.relnamespace = (@schema::text)::regnamespace AND k.contype <> 'n'
ORDER BY c.relname, position(k.contype::text IN 'pufcx'), k.conname;

-- name: list_indexes :many
-- Lists the indexes of a schema's tables, by name, those of constraints apart.
SELECT
    c.relname::text AS table_name,
    i.relname::text AS name,
    pg_get_indexdef(x.indexrelid)::text AS "definition!",
    x.indisunique AS is_unique,
    obj_description(i.oid, 'pg_class')::text AS "comment?"
FROM pg_catalog.pg_index x
JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
JOIN pg_catalog.pg_class c ON c.oid = x.indrelid
WHERE
    c.relnamespace = (@schema::text)::regnamespace
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = x.indexrelid)
ORDER BY c.relname, i.relname;

-- name: list_domains :many
-- Lists the domains of a schema with their checks, by name.
SELECT
    t.typname::text AS name,
    format_type(t.typbasetype, t.typtypmod)::text AS "base_type!",
    (
        SELECT string_agg(pg_get_constraintdef(k.oid), ', ' ORDER BY k.conname)
        FROM pg_catalog.pg_constraint k
        WHERE k.contypid = t.oid AND k.contype = 'c'
    )::text AS "checks?",
    obj_description(t.oid, 'pg_type')::text AS "comment?"
FROM pg_catalog.pg_type t
WHERE t.typnamespace = (@schema::text)::regnamespace AND t.typtype = 'd'
ORDER BY t.typname;

-- name: get_ledgers :one
-- @exactly-one
-- Tells whose ledgers of migrations the database has.
SELECT
    to_regclass('drizzle.__drizzle_migrations') IS NOT NULL AS of_drizzle,
    to_regclass('public.schema_migrations') IS NOT NULL AS of_dbmate;

-- name: get_time_zone :one
-- @exactly-one
-- Tells the session's time zone, and where it comes from: `client` is its environment or
-- its URL; anything else the server, the database or the role.
SELECT
    pg_settings.setting AS "name!",
    pg_settings.source AS "source!"
FROM pg_catalog.pg_settings
WHERE pg_settings.name = 'TimeZone';

-- name: count_unvalidated_constraints :one
-- Counts the rules that old rows have not been held to yet.
SELECT count(*)
FROM pg_catalog.pg_constraint
WHERE NOT convalidated AND connamespace = 'public'::regnamespace;

-- name: list_insertions :many
-- Lists the tables that `migrate verify` puts rows into, each with an INSERT of the columns
-- that need a value, then with one of all. Those of extensions are left out.
SELECT
    format('%I.%I', n.nspname, c.relname)::text AS "table_name!",
    w.columns::text[] AS "columns!",
    CASE
        WHEN w.names IS NULL THEN format('INSERT INTO %I.%I DEFAULT VALUES', n.nspname, c.relname)
        ELSE format(
            'INSERT INTO %I.%I (%s) VALUES (%s)', n.nspname, c.relname, w.names, w.places
        )
    END::text AS "insertion!",
    format('SELECT FROM %I.%I LIMIT 1', n.nspname, c.relname)::text AS "probe!"
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN (SELECT FALSE AS is_full UNION ALL SELECT TRUE) AS v
CROSS JOIN LATERAL (
    SELECT
        coalesce(array_agg(a.attname::text ORDER BY a.place), '{}') AS columns,
        string_agg(quote_ident(a.attname), ', ' ORDER BY a.place) AS names,
        string_agg('$' || a.place::text, ', ' ORDER BY a.place) AS places
    FROM (
        SELECT x.attname, row_number() OVER (ORDER BY x.attnum) AS place
        FROM pg_catalog.pg_attribute x
        JOIN pg_catalog.pg_type t ON t.oid = x.atttypid
        WHERE
            x.attrelid = c.oid AND x.attnum > 0 AND NOT x.attisdropped
            AND x.attgenerated = '' AND x.attidentity = ''
            AND (
                v.is_full
                OR NOT x.atthasdef AND t.typdefault IS NULL AND (x.attnotnull OR t.typnotnull)
            )
    ) a
) w
WHERE
    c.relkind = 'r' AND c.relname <> 'schema_migrations'
    AND n.nspname <> 'information_schema' AND NOT starts_with(n.nspname, 'pg_')
    AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    )
ORDER BY c.oid, v.is_full;

-- name: list_fillable_columns :many
-- Lists the columns of tables that can be written, with a SELECT that gives a text as a
-- value of the column's type reads, and the rules that a value has to keep.
SELECT
    named.table_name AS "table_name!",
    a.attname::text AS name,
    (a.attnotnull OR t.typnotnull)::boolean AS "is_required!",
    format('SELECT CAST($1 AS %s)::text', format_type(a.atttypid, a.atttypmod))::text AS "casting!",
    ARRAY(
        SELECT pg_get_constraintdef(k.oid)
        FROM pg_catalog.pg_constraint k
        WHERE
            k.contype = 'c'
            AND (k.contypid = a.atttypid OR (k.conrelid = a.attrelid AND a.attnum = ANY (k.conkey)))
        ORDER BY k.conname
    )::text[] || coalesce(pg_get_expr(c.relpartbound, c.oid), '') AS "rules!",
    ARRAY(
        SELECT e.enumlabel::text
        FROM pg_catalog.pg_enum e
        WHERE e.enumtypid = coalesce(nullif(t.typbasetype, 0), t.oid)
        ORDER BY e.enumsortorder
    )::text[] AS "labels!"
FROM unnest(@table_names::text[]) AS named (table_name)
JOIN pg_catalog.pg_class c ON c.oid = named.table_name::regclass
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND a.attidentity = ''
ORDER BY c.oid, a.attnum;

-- name: list_fillable_references :many
-- Lists the foreign keys of tables: their columns, and a SELECT of what they may refer to.
SELECT
    named.table_name AS "table_name!",
    ARRAY(
        SELECT a.attname::text
        FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
        ORDER BY array_position(k.conkey, a.attnum)
    )::text[] AS "columns!",
    format(
        'SELECT %s FROM %s LIMIT 20',
        (
            SELECT string_agg(quote_ident(a.attname) || '::text', ', ' ORDER BY array_position(k.confkey, a.attnum))
            FROM pg_catalog.pg_attribute a
            WHERE a.attrelid = k.confrelid AND a.attnum = ANY (k.confkey)
        ),
        k.confrelid::regclass
    )::text AS "values!"
FROM unnest(@table_names::text[]) AS named (table_name)
JOIN pg_catalog.pg_constraint k ON k.conrelid = named.table_name::regclass
WHERE k.contype = 'f'
ORDER BY k.conrelid, k.conname;
