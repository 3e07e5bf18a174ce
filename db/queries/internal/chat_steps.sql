-- name: list_chat_sessions :many
-- Lists a user's conversations, the last touched first, from before the one given (all
-- from the newest, if none). A touch moves a conversation to the top: paging down repeats
-- none, and misses only what is newer by now than the first page.

-- Reads chat_sessions_user_id_updated_at_idx.
SELECT *
FROM chat_sessions
WHERE
    user_id = @user_id
    AND (updated_at, id) < (
        coalesce(sqlc.narg(before_updated_at)::timestamptz, 'infinity'), sqlc.narg(before_id)::uuid
    )
ORDER BY updated_at DESC, id DESC
LIMIT @max_rows;

-- name: page_chat_sessions :many
-- Lists a user's conversations, the last touched first, without the first skipped_rows;
-- each with how many there are in all. A page that is empty has that number in one row
-- without a conversation. One statement, so page and number are of one moment; but what is
-- touched between two pages moves up, and the next page repeats another one: see
-- list_chat_sessions.

-- Reads chat_sessions_user_id_updated_at_idx, what is skipped, too.
WITH page AS (
    SELECT chat_sessions.id
    FROM chat_sessions
    WHERE chat_sessions.user_id = @user_id
    ORDER BY chat_sessions.updated_at DESC, chat_sessions.id DESC
    LIMIT @max_rows OFFSET @skipped_rows
),

counted AS (
    SELECT count(*) AS total FROM chat_sessions WHERE chat_sessions.user_id = @user_id
)

SELECT
    counted.total,
    sqlc.embed(chat_sessions)
FROM counted
LEFT JOIN page ON TRUE
LEFT JOIN chat_sessions ON page.id = chat_sessions.id
ORDER BY chat_sessions.updated_at DESC, chat_sessions.id DESC;

-- name: touch_chat_session :one
-- @deferred
-- Makes a conversation its user's newest, with the next version, gives it the title if it
-- has none, and returns it; nothing if the user has no such conversation. Locks the user,
-- so that the touches of one user become visible in their order, then the conversation,
-- so that its messages are written by one transaction at a time. If a version is given
-- and is not the present one, its successor is NULL, which the column refuses.
WITH owner AS (
    SELECT users.id FROM users WHERE users.id = @user_id FOR NO KEY UPDATE
)

UPDATE chat_sessions
SET
    title = coalesce(chat_sessions.title, sqlc.narg(title)),
    title_source = CASE
        WHEN chat_sessions.title IS NULL AND sqlc.narg(title) IS NOT NULL THEN 'made'
        ELSE chat_sessions.title_source
    END,
    version = CASE
        WHEN chat_sessions.version = coalesce(sqlc.narg(from_version)::bigint, chat_sessions.version)
            THEN chat_sessions.version + 1
    END,
    last_save = sqlc.narg(last_save)
FROM owner
WHERE chat_sessions.id = @id AND chat_sessions.user_id = owner.id
RETURNING chat_sessions.*;

-- name: save_chat_messages :exec
-- Saves messages of a user's conversation, given as their JSON, one after another in
-- UTF-8, and an index of it: [{"id", "digest", "first", "length"}], counted in bytes from
-- 1. One that is there keeps its place and takes the new role, parts and metadata; new
-- ones follow in the order given. One of the digest that it was saved with is neither read
-- nor written nor locked; of one that is the same all the same, the parts stay where they
-- lie. Saves nothing in another user's conversation. Needs the lock of touch_chat_session,
-- taken by a statement of its own.

-- Reads chat_messages_session_id_msg_id_key.
WITH changed AS MATERIALIZED (
    SELECT
        chat_sessions.id AS session_id,
        given.place,
        given.id AS msg_id,
        given.digest,
        convert_from(substr(@messages::bytea, given.first, given.length), 'UTF8')::jsonb AS message
    FROM chat_sessions
    CROSS JOIN ROWS FROM (
        jsonb_to_recordset(sqlc.arg(index)::text::jsonb) AS (id text, digest uuid, first integer, length integer)
    ) WITH ORDINALITY AS given (id, digest, first, length, place)
    LEFT JOIN chat_messages AS saved
        ON chat_sessions.id = saved.session_id AND given.id = saved.msg_id
    WHERE
        chat_sessions.id = @session_id
        AND chat_sessions.user_id = @user_id
        AND saved.digest IS DISTINCT FROM given.digest
)

INSERT INTO chat_messages (session_id, msg_id, role, parts, metadata, has_metadata, digest)
SELECT
    changed.session_id,
    changed.msg_id,
    (changed.message ->> 'role')::message_role,
    changed.message -> 'parts',
    changed.message -> 'metadata',
    changed.message ? 'metadata',
    changed.digest
FROM changed
ORDER BY changed.place
ON CONFLICT (session_id, msg_id) DO UPDATE
SET
    role = excluded.role,
    parts = CASE WHEN chat_messages.parts = excluded.parts THEN chat_messages.parts ELSE excluded.parts END,
    metadata = excluded.metadata,
    has_metadata = excluded.has_metadata,
    digest = excluded.digest;

-- name: delete_chat_messages_after :one
-- Deletes what follows a message in a user's conversation, and returns the message's
-- position; nothing if there is no such message. Needs the lock of touch_chat_session.
WITH kept AS (
    SELECT
        chat_messages.session_id,
        chat_messages.position
    FROM chat_messages
    INNER JOIN chat_sessions ON chat_messages.session_id = chat_sessions.id
    WHERE
        chat_sessions.id = @session_id
        AND chat_sessions.user_id = @user_id
        AND chat_messages.msg_id = @msg_id
),

deleted AS (
    DELETE FROM chat_messages
    USING kept
    WHERE
        chat_messages.session_id = kept.session_id
        AND chat_messages.position > kept.position
)

SELECT kept.position FROM kept;
