-- name: enter_session :one
-- Tells whether the server that speaks is the one that was connected to, by the process
-- id that was told then (behind a pooler it is another's), or if this is known without.
-- Only then sets the session's limits, in milliseconds, and its isolation level: through
-- a pooler they would stay behind on a session that others share. So does search_path, if
-- one is given. One statement, so that
-- nothing can come in between. PostgreSQL knows transaction_timeout from 17 on.
SELECT
    arrival.direct AS "direct!",
    CASE
        WHEN arrival.direct THEN concat(
            set_config('default_transaction_isolation', 'read committed', FALSE),
            CASE
                WHEN sqlc.narg(search_path)::text IS NOT NULL
                    THEN set_config('search_path', sqlc.narg(search_path)::text, FALSE)
            END,
            set_config('statement_timeout', (@statement_timeout::integer)::text, FALSE),
            set_config('lock_timeout', (@lock_timeout::integer)::text, FALSE),
            set_config('idle_in_transaction_session_timeout', (@idle_timeout::integer)::text, FALSE),
            CASE
                WHEN current_setting('transaction_timeout', TRUE) IS NOT NULL
                    THEN set_config('transaction_timeout', (@transaction_timeout::integer)::text, FALSE)
            END
        )
    END AS "limits?"
FROM (
    SELECT sqlc.arg(known_direct)::boolean OR pg_backend_pid() = sqlc.arg(backend_pid)::integer AS direct
) AS arrival;

-- name: ping :one
-- Answers.
SELECT 1 AS "answer!";

-- name: get_wal_position :one
-- @deferred
-- @exactly-one
-- Tells of which system and how far the write-ahead log is: on a primary, up to where it
-- holds what is committed, by anybody or (own_writes) by sessions like this one; on a
-- standby, up to where it is replayed, with the timeline that is replayed at least, and
-- the one that is received (NULL if none is, or for a role without pg_read_all_stats).
-- Tells also whether a primary has still to flush up to there: until it has, no standby
-- gets it.

-- What COMMIT has waited for is flushed. Where it does not wait, or somebody else's may
-- not, that is asked which was written: it may be more, which nobody has committed. At a
-- page's beginning it is behind the page's header (24 bytes, 40 in the first page of a
-- segment), where no record ends, so no standby would ever say that it came so far.
SELECT
    (SELECT control.system_identifier FROM pg_control_system() AS control)::bigint AS "system_id!",
    CASE
        WHEN server.is_standby THEN greatest(
            (SELECT control.timeline_id FROM pg_control_checkpoint() AS control),
            (SELECT control.min_recovery_end_timeline FROM pg_control_recovery() AS control)
        )::bigint
        ELSE ('x' || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8))::bit(32)::bigint
    END AS "timeline!",
    CASE
        WHEN server.is_standby
            THEN (SELECT receiver.received_tli FROM pg_catalog.pg_stat_wal_receiver AS receiver)::bigint
    END AS "received_timeline?",
    log.position AS "position!",
    CASE
        WHEN NOT server.is_standby THEN log.position > pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')
        ELSE FALSE
    END AS "flush_is_due!",
    server.is_standby AS "is_standby!"
FROM (SELECT pg_is_in_recovery() AS is_standby) AS server
CROSS JOIN LATERAL (
    SELECT
        CASE
            WHEN server.is_standby THEN coalesce(pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0'), 0)::bigint
            WHEN @own_writes::boolean AND current_setting('synchronous_commit') <> 'off'
                THEN pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint
            ELSE (
                SELECT
                    written.position - CASE
                        WHEN written.position % pg_size_bytes(current_setting('wal_segment_size')) = 40 THEN 40
                        WHEN written.position % current_setting('wal_block_size')::bigint = 24 THEN 24
                        ELSE 0
                    END
                FROM (
                    SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint AS position
                ) AS written
            )
        END AS position
    -- Not read anew where it is named again.
    OFFSET 0
) AS log;

-- name: have_wal_flushed :exec
-- Has a primary flush within moments what its write-ahead log holds by now, which nobody
-- may have to commit: until somebody does, no standby gets it. A commit that wrote nothing
-- does that without waiting for it, where it has an id.
SELECT pg_current_xact_id();

-- name: get_flushed_position :one
-- @deferred
-- Tells up to where a primary's write-ahead log is flushed, and in which file, whose name
-- begins with the timeline. Nothing where COMMIT does not wait for that.

-- As little as there can be: it goes with each COMMIT of a tracked store.
SELECT
    pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint AS "position!",
    pg_walfile_name(pg_current_wal_flush_lsn()) AS "wal_file!"
WHERE current_setting('synchronous_commit') <> 'off';
