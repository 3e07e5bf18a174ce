-- name: create_item :one
INSERT INTO order_items (
    user_id, price, small, amount, weight, parts, extra, "class", "from", "userName",
    "weird name!", str, datetime, ip, blob, quantities, grid, mood
)
VALUES (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18
)
RETURNING *;

-- name: list_items_of_user :many
SELECT sqlc.embed(users), sqlc.embed(order_items)
FROM users
INNER JOIN order_items ON order_items.user_id = users.id
WHERE users.id = @id
ORDER BY order_items.id;

-- name: list_users_with_items :many
SELECT users.id, sqlc.embed(order_items)
FROM users
LEFT JOIN order_items ON order_items.user_id = users.id
ORDER BY users.id, order_items.id;

-- name: pairs :many
SELECT sqlc.embed(one), sqlc.embed(other), one.id < other.id AS "ordered!"
FROM settings AS s, audit.events AS one, audit.events AS other
WHERE s.key = @key;

-- name: claim_item :one
WITH claimed AS (
    UPDATE order_items SET price = price + @by::integer
    WHERE order_items.id = @id
    RETURNING order_items.id, order_items.user_id, order_items.price
)
SELECT claimed.id, claimed.price, users.email
FROM claimed
INNER JOIN users ON users.id = claimed.user_id;

-- name: count_items :one
SELECT count(*) FROM order_items WHERE user_id = @user_id;

-- name: total_price :one
-- @notnull total
SELECT
    coalesce(sum(price), 0)::bigint AS total,
    max(price)::integer AS highest,
    min(price)::integer AS "lowest?"
FROM order_items WHERE user_id = @user_id;

-- name: set_quantities :exec
UPDATE order_items SET quantities = @quantities, grid = @grid WHERE id = @id;

-- name: add_items :execrows
INSERT INTO order_items (user_id, price, amount)
SELECT @user_id, line.price::integer, line.amount::numeric
FROM ROWS FROM (unnest(@prices::integer []), unnest(@amounts::numeric [])) AS line (price, amount);

-- name: list_totals :many
SELECT * FROM user_totals ORDER BY id;
