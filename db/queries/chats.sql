-- name: create_chat_session :one
-- Opens a conversation, the user's newest; its title, if it is given one, is a chosen one,
-- and may come later. Returns nothing if there is no such user, whom it locks: see
-- touch_chat_session.

-- In the INSERT's own SELECT Citus (13.2) would call the function for no user.
WITH owner AS (
    SELECT users.id FROM users WHERE users.id = @user_id FOR NO KEY UPDATE
),

newest AS (
    SELECT
        owner.id AS user_id,
        next_chat_session_time(owner.id) AS updated_at
    FROM owner
)

INSERT INTO chat_sessions (user_id, title, title_source, updated_at)
SELECT
    newest.user_id,
    sqlc.narg(title)::text,
    CASE WHEN sqlc.narg(title)::text IS NOT NULL THEN 'chosen' END,
    newest.updated_at
FROM newest
RETURNING *;

-- name: get_chat_session :one
-- Returns one of a user's conversations.
SELECT * FROM chat_sessions WHERE id = @id AND user_id = @user_id;

-- name: count_chat_sessions :one
-- Counts a user's conversations.

-- Reads chat_sessions_user_id_updated_at_idx.
SELECT count(*) FROM chat_sessions WHERE user_id = @user_id;

-- name: rename_chat_session :one
-- Gives a conversation the title that somebody chose, which makes it the user's newest;
-- returns nothing if the user has no such conversation. Locks as touch_chat_session does.
WITH owner AS (
    SELECT users.id FROM users WHERE users.id = @user_id FOR NO KEY UPDATE
)

UPDATE chat_sessions
SET title = @title::text, title_source = 'chosen'
FROM owner
WHERE chat_sessions.id = @id AND chat_sessions.user_id = owner.id
RETURNING chat_sessions.*;

-- name: give_model_title :one
-- Gives a conversation the title that a model made of it, which makes it the user's newest,
-- in place of none, of the one that a save made, or of an earlier model's. Returns nothing
-- if its title was chosen (or is older than titles' sources), which stays, and if the user
-- has no such conversation. Locks as touch_chat_session does.
WITH owner AS (
    SELECT users.id FROM users WHERE users.id = @user_id FOR NO KEY UPDATE
)

UPDATE chat_sessions
SET title = @title::text, title_source = 'model'
FROM owner
WHERE
    chat_sessions.id = @id
    AND chat_sessions.user_id = owner.id
    AND (chat_sessions.title IS NULL OR chat_sessions.title_source IN ('made', 'model'))
RETURNING chat_sessions.*;

-- name: delete_chat_session :one
-- Deletes a conversation and its messages, and returns its id; nothing if the user has
-- no such conversation.
DELETE FROM chat_sessions WHERE id = @id AND user_id = @user_id RETURNING id;

-- name: list_chat_messages :many
-- Lists a conversation's messages in order, from after the position given (0: from the
-- first).

-- Reads chat_messages_session_id_position_key.
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
-- Lists the last of a conversation's messages before the position given (before the end,
-- if none), in order.

-- Reads chat_messages_session_id_position_key.
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
