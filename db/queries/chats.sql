-- name: create_chat_session :one
-- Opens a conversation, the user's newest; its title may come later. Returns nothing if
-- there is no such user, whom it locks: see touch_chat_session.
WITH owner AS (
    SELECT users.id FROM users WHERE users.id = @user_id FOR NO KEY UPDATE
)

INSERT INTO chat_sessions (user_id, title, updated_at)
SELECT
    owner.id,
    sqlc.narg(title),
    next_chat_session_time(owner.id)
FROM owner
RETURNING *;

-- name: get_chat_session :one
-- Returns one of a user's conversations.
SELECT * FROM chat_sessions WHERE id = @id AND user_id = @user_id;

-- name: list_chat_sessions :many
-- Lists a user's conversations, the last touched first, from before the one given (all
-- from the newest, if none). A touch moves a conversation to the top: paging down
-- repeats none, and misses only what is newer by now than the first page. Reads
-- chat_sessions_user_id_updated_at_idx.
SELECT *
FROM chat_sessions
WHERE
    user_id = @user_id
    AND (updated_at, id) < (
        coalesce(sqlc.narg(before_updated_at)::timestamptz, 'infinity'), sqlc.narg(before_id)::uuid
    )
ORDER BY updated_at DESC, id DESC
LIMIT @max_rows;

-- name: touch_chat_session :one
-- @deferred
-- Makes a conversation its user's newest, gives it the title if it has none, and
-- returns it; nothing if the user has no such conversation. Locks the user, so that
-- the touches of one user become visible in their order, then the conversation, so
-- that its messages are written by one transaction at a time.
WITH owner AS (
    SELECT users.id FROM users WHERE users.id = @user_id FOR NO KEY UPDATE
)

UPDATE chat_sessions
SET title = coalesce(chat_sessions.title, sqlc.narg(title))
FROM owner
WHERE chat_sessions.id = @id AND chat_sessions.user_id = owner.id
RETURNING chat_sessions.*;

-- name: rename_chat_session :one
-- Gives a conversation another title, which makes it the user's newest; returns
-- nothing if the user has no such conversation. Locks as touch_chat_session does.
WITH owner AS (
    SELECT users.id FROM users WHERE users.id = @user_id FOR NO KEY UPDATE
)

UPDATE chat_sessions
SET title = @title::text
FROM owner
WHERE chat_sessions.id = @id AND chat_sessions.user_id = owner.id
RETURNING chat_sessions.*;

-- name: delete_chat_session :one
-- Deletes a conversation and its messages, and returns its id; nothing if the user has
-- no such conversation.
DELETE FROM chat_sessions WHERE id = @id AND user_id = @user_id RETURNING id;

-- name: save_chat_messages :exec
-- Saves messages of a user's conversation. One that is there keeps its place and takes
-- the new role and parts; new ones follow in the order given. What did not change is
-- not written again. Saves nothing in another user's conversation. Needs the lock of
-- touch_chat_session, taken by a statement of its own.
INSERT INTO chat_messages (session_id, msg_id, role, parts)
SELECT
    chat_sessions.id,
    message.msg_id,
    message.role,
    message.parts
FROM ROWS FROM (
    unnest(@msg_ids::text []), unnest(@roles::message_role []), unnest(@parts::jsonb [])
) WITH ORDINALITY AS message (msg_id, role, parts, place)
INNER JOIN chat_sessions
    ON chat_sessions.id = @session_id AND chat_sessions.user_id = @user_id
ORDER BY message.place
ON CONFLICT (session_id, msg_id) DO UPDATE
SET role = excluded.role, parts = excluded.parts
WHERE (chat_messages.role, chat_messages.parts) IS DISTINCT FROM (excluded.role, excluded.parts);

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

-- name: list_chat_messages :many
-- Lists a conversation's messages in order, from after the position given (0: from the
-- first). Reads chat_messages_session_id_position_key.
SELECT chat_messages.*
FROM chat_messages
INNER JOIN chat_sessions ON chat_messages.session_id = chat_sessions.id
WHERE
    chat_sessions.id = @session_id
    AND chat_sessions.user_id = @user_id
    AND chat_messages.position > @after_position
ORDER BY chat_messages.position
LIMIT @max_rows;

-- name: list_chat_messages_before :many
-- Lists the last of a conversation's messages before the position given (before the
-- end, if none), in order. Reads chat_messages_session_id_position_key.
WITH page AS (
    SELECT chat_messages.*
    FROM chat_messages
    INNER JOIN chat_sessions ON chat_messages.session_id = chat_sessions.id
    WHERE
        chat_sessions.id = @session_id
        AND chat_sessions.user_id = @user_id
        AND chat_messages.position < coalesce(sqlc.narg(before_position)::bigint, 9223372036854775807)
    ORDER BY chat_messages.position DESC
    LIMIT @max_rows
)

SELECT * FROM page ORDER BY position;
