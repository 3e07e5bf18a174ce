-- name: enter_session :one
-- Tells whether the server that speaks is the one that was connected to, by the process
-- id that was told then (behind a pooler it is another's), or if this is known without.
-- Only then sets the session's limits, in milliseconds, and its isolation level: through
-- a pooler they would stay behind on a session that others share. One statement, so that
-- nothing can come in between. PostgreSQL knows transaction_timeout from 17 on.
SELECT
    arrival.direct AS "direct!",
    CASE
        WHEN arrival.direct THEN concat(
            set_config('default_transaction_isolation', 'read committed', FALSE),
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
