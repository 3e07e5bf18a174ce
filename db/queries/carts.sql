-- name: list_cart_items :many
-- Lists what is in a user's cart, the newest first.
SELECT *
FROM cart_items
WHERE user_id = @user_id AND deleted_at IS NULL
ORDER BY created_at DESC, id DESC
LIMIT @max_rows;

-- name: count_cart_items :one
-- Counts what is in a user's cart.
SELECT count(*) FROM cart_items
WHERE user_id = @user_id AND deleted_at IS NULL;
