-- name: limit_look :one
-- Limits what follows in this transaction: a statement, and a wait for a lock, in
-- milliseconds; and says in which schema, if one is given. Goes with the transaction, so that a pooled session keeps nothing of it.
SELECT concat(
    set_config('statement_timeout', (@statement_timeout::integer)::text, TRUE),
    set_config('lock_timeout', (@lock_timeout::integer)::text, TRUE),
    CASE
        WHEN sqlc.narg(search_path)::text IS NOT NULL
            THEN set_config('search_path', sqlc.narg(search_path)::text, TRUE)
    END
) AS "limits!";

-- name: get_server :one
-- @exactly-one
-- Tells who answers, and in which state. Server and database together say whether two
-- URLs lead to the same place.
SELECT
    current_setting('server_version_num')::integer AS "version_number!",
    current_setting('server_version')::text AS "version!",
    pg_postmaster_start_time()::text AS "started_at!",
    clock_timestamp() AS "now!",
    pg_is_in_recovery() AS "is_standby!",
    current_setting('TimeZone')::text AS "time_zone!",
    pg_encoding_to_char(d.encoding)::text AS "encoding!",
    d.oid::bigint AS "database_id!",
    d.datname::text AS "database_name!",
    d.datconnlimit AS "database_limit!"
FROM pg_catalog.pg_database d
WHERE d.datname = current_database();

-- name: list_server_settings :many
-- Lists settings of this session, those that the server has, as it writes them, and in
-- which unit.
SELECT
    s.name::text AS "name!",
    s.setting::text AS "value!",
    s.unit::text AS "unit?"
FROM pg_catalog.pg_settings s
WHERE s.name = ANY (@names::text []);

-- name: get_role :one
-- @exactly-one
-- Tells what the role of this session may do beside reading and writing rows.
SELECT
    r.rolname::text AS "name!",
    r.rolsuper AS "is_superuser!",
    r.rolcreaterole AS "creates_roles!",
    r.rolcreatedb AS "creates_databases!",
    r.rolreplication AS "replicates!",
    r.rolbypassrls AS "bypasses_policies!",
    r.rolconnlimit AS "connection_limit!",
    has_schema_privilege(current_schema(), 'CREATE') AS "makes_tables?"
FROM pg_catalog.pg_roles r
WHERE r.rolname = current_user;

-- name: list_table_rights :many
-- Lists the tables of the search path's first schema, with what the role lacks of what
-- reads and writes rows, and whether it may change the table itself.
SELECT
    c.relname::text AS "name!",
    ARRAY(
        SELECT p.name
        FROM unnest('{SELECT,INSERT,UPDATE,DELETE}'::text []) WITH ORDINALITY AS p (name, place)
        WHERE NOT has_table_privilege(c.oid, p.name)
        ORDER BY p.place
    )::text [] AS "lacking!",
    pg_has_role(c.relowner, 'USAGE') AS "is_own!"
FROM pg_catalog.pg_class c
WHERE
    c.relkind IN ('r', 'p')
    AND c.relnamespace = to_regnamespace(quote_ident(current_schema()))
ORDER BY c.relname;

-- name: count_sessions :one
-- Counts the sessions in all databases, and those, as far as the role may see them, that
-- have been idle in a transaction for a minute.
SELECT
    (SELECT sum(d.numbackends) FROM pg_catalog.pg_stat_database d)::bigint AS "sessions!",
    count(*) AS "idle_in_transaction!"
FROM pg_catalog.pg_stat_activity a
WHERE a.state LIKE 'idle in transaction%' AND a.state_change < now() - interval '1 minute';

-- name: count_wallet_keys :one
-- Counts the encrypted wallet keys, and those that are in no form of ours.
SELECT
    count(*) AS "keys!",
    count(*) FILTER (WHERE sui_private_key_encrypted NOT LIKE 'v1.%') AS "legacy!"
FROM users
WHERE sui_private_key_encrypted IS NOT NULL;
