-- name: create_chat_session :one
-- Opens a conversation; its title may come later.
INSERT INTO chat_sessions (user_id, title)
VALUES (@user_id, sqlc.narg(title))
RETURNING *;

-- name: list_chat_sessions :many
-- Lists a user's conversations, the last touched first, from before the one given (all
-- from the newest, if none). Reads chat_sessions_user_id_updated_at_idx.
SELECT *
FROM chat_sessions
WHERE
    user_id = @user_id
    AND (
        sqlc.narg(before_updated_at)::timestamptz IS NULL
        OR (updated_at, id) < (sqlc.narg(before_updated_at)::timestamptz, sqlc.narg(before_id)::uuid)
    )
ORDER BY updated_at DESC, id DESC
LIMIT @max_rows;

-- name: save_chat_messages :many
-- Saves messages of a user's session in the order given. One that is there keeps its
-- place and takes the new role and parts. Saves nothing in another user's session.
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
RETURNING *;

-- name: list_chat_messages :many
-- Lists a session's messages in order, from after the position given (0: from the
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
