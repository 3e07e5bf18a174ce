-- This header belongs to no query.

-- name: create_user :one
-- Registers a user.
--
-- A second paragraph with a backslash \d and "quotes".
INSERT INTO users (email, nickname, wallet_status, former_statuses, moods, discount, tags)
VALUES (@email, @nickname, @wallet_status, @former_statuses, @moods, @discount, @tags)
RETURNING *;
-- This remark belongs to no query either.

-- name: GetUser :one
SELECT * FROM users WHERE id = $1;

-- name: list_users_by_status :many
-- @deferred
-- Lists users of any of these statuses.
SELECT * FROM users
WHERE wallet_status = ANY(@statuses::wallet_status [])
ORDER BY created_at, id;

-- name: set_status :execrows
-- @deferred
UPDATE users SET wallet_status = @wallet_status WHERE id = @id;

-- name: delete_user :exec
DELETE FROM users WHERE id = @id;

-- name: find_users :many
-- Finds users by what is given.
SELECT id, email FROM users
WHERE email = coalesce(sqlc.narg(email), email) OR email LIKE '%' || sqlc.narg(part)::text || '%'
ORDER BY id;

-- name: wallet_status_of :one
SELECT wallet_status FROM users WHERE id = @id;

-- name: email_of :one
SELECT email FROM users WHERE id = @id;

-- name: moods_of :one
SELECT moods FROM users WHERE id = @id;

-- name: status_twice :many
SELECT wallet_status, wallet_status, discount, nickname FROM users WHERE id = @id OR id = @id2;
