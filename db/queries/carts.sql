-- name: add_cart_item :one
-- Puts a product into the user's cart; the same variant again is the same item, with
-- the details given last. Returns nothing if there is no such user. The user's lock
-- keeps a restored item from becoming a twin of this one.
WITH owner AS (
    SELECT users.id FROM users WHERE users.id = @user_id FOR NO KEY UPDATE
)

INSERT INTO cart_items (
    user_id, product_id, product_name, price, image, product_url, size, color, retailer
)
SELECT
    owner.id,
    @product_id,
    @product_name,
    @price,
    sqlc.narg(image),
    sqlc.narg(product_url),
    sqlc.narg(size),
    sqlc.narg(color),
    sqlc.narg(retailer)
FROM owner
ON CONFLICT (user_id, product_id, size, color) WHERE deleted_at IS NULL DO UPDATE
SET
    product_name = excluded.product_name,
    price = excluded.price,
    image = excluded.image,
    product_url = excluded.product_url,
    retailer = excluded.retailer
RETURNING *;

-- name: list_cart_items :many
-- Lists what is in a user's cart, the oldest first.
SELECT *
FROM cart_items
WHERE user_id = @user_id AND deleted_at IS NULL
ORDER BY created_at, id
LIMIT @max_rows;

-- name: count_cart_items :one
-- Counts what is in a user's cart.
SELECT count(*) FROM cart_items
WHERE user_id = @user_id AND deleted_at IS NULL;

-- name: list_prices_in_cart :many
-- Lists which of these items are in the user's cart, with their prices in USD cents.
SELECT
    id,
    price
FROM cart_items
WHERE id = ANY(@ids::uuid []) AND user_id = @user_id AND deleted_at IS NULL
ORDER BY id;

-- name: remove_cart_item :one
-- Takes one item out of a user's cart; returns nothing if it is not in it. Needs no
-- lock on the user: the row itself decides between a removal and a checkout.
UPDATE cart_items
SET deleted_at = now()
WHERE id = @id AND user_id = @user_id AND deleted_at IS NULL
RETURNING *;

-- name: clear_cart :execrows
-- Takes everything out of a user's cart. Locks the user: several rows are locked here
-- and in a checkout, each in an order of its own.
WITH owner AS (
    SELECT users.id FROM users WHERE users.id = @user_id FOR NO KEY UPDATE
)

UPDATE cart_items
SET deleted_at = now()
FROM owner
WHERE cart_items.user_id = owner.id AND cart_items.deleted_at IS NULL;

-- name: claim_cart_items :many
-- @deferred
-- Takes the items of new orders out of the cart and keeps each as its order's snapshot,
-- matched by place. An item that is not in the user's cart, or not at the price that is
-- expected (in USD cents; any, if NULL), leaves a NULL product_id, which the snapshot
-- refuses, and with it the whole transaction. An order that was
-- cancelled before it came here leaves its item in the cart. An item that the chain's
-- mirror has taken out for the order's own transaction can be claimed too, unless
-- another uncancelled order holds it. Needs the user's lock.
-- The subselects hide the arrays' length from the planner, which would otherwise think a
-- plan for this very length cheaper than the prepared one, and plan anew at each call.
WITH wanted AS (
    SELECT
        line.order_id,
        line.cart_item_id,
        line.expected_price,
        orders.status,
        EXISTS (
            SELECT FROM cart_items AS item
            INNER JOIN chain_events AS event ON item.on_chain_object_id = event.object_id
            WHERE
                item.id = line.cart_item_id
                AND event.type = 'checked_out'
                AND event.tx_digest = orders.tx_hash
        )
        AND NOT EXISTS (
            SELECT FROM order_items AS held
            INNER JOIN orders AS holder ON held.order_id = holder.id
            WHERE held.cart_item_id = line.cart_item_id AND holder.status <> 'cancelled'
        ) AS was_taken_for_it
    FROM ROWS FROM (
        unnest((SELECT @order_ids::uuid [])),
        unnest((SELECT @cart_item_ids::uuid [])),
        unnest((SELECT @expected_prices::integer []))
    ) AS line (order_id, cart_item_id, expected_price)
    LEFT JOIN orders ON line.order_id = orders.id
),

claimed AS (
    UPDATE cart_items
    SET
        deleted_at = coalesce(
            cart_items.deleted_at, CASE WHEN wanted.status <> 'cancelled' THEN now() END
        )
    FROM wanted
    WHERE
        cart_items.id = wanted.cart_item_id
        AND cart_items.user_id = @user_id
        AND (cart_items.deleted_at IS NULL OR wanted.was_taken_for_it)
        AND coalesce(wanted.expected_price, cart_items.price) = cart_items.price
    RETURNING cart_items.*
)

INSERT INTO order_items (
    order_id, cart_item_id, product_id, product_name, price,
    image, product_url, size, color, retailer, on_chain_object_id
)
SELECT
    wanted.order_id,
    wanted.cart_item_id,
    claimed.product_id,
    claimed.product_name,
    claimed.price,
    claimed.image,
    claimed.product_url,
    claimed.size,
    claimed.color,
    claimed.retailer,
    claimed.on_chain_object_id
FROM wanted
LEFT JOIN claimed ON wanted.cart_item_id = claimed.id
RETURNING *;

-- name: restore_cart_item :execrows
-- Puts the item of a cancelled order back into the cart, unless the same variant is in
-- it, another uncancelled order holds the item, or the chain's mirror rules it. Needs
-- the user's lock, which keeps a twin from being added meanwhile.
-- Not scoped by user: called with an order of the user that is locked.
UPDATE cart_items
SET deleted_at = NULL
FROM order_items AS snapshot
WHERE
    snapshot.order_id = @order_id
    AND cart_items.id = snapshot.cart_item_id
    AND cart_items.deleted_at IS NOT NULL
    AND cart_items.on_chain_object_id IS NULL
    AND NOT EXISTS (
        SELECT FROM cart_items AS twin
        WHERE
            twin.user_id = cart_items.user_id
            AND twin.product_id = cart_items.product_id
            AND twin.size IS NOT DISTINCT FROM cart_items.size
            AND twin.color IS NOT DISTINCT FROM cart_items.color
            AND twin.deleted_at IS NULL
    )
    AND NOT EXISTS (
        SELECT FROM order_items AS held
        INNER JOIN orders ON held.order_id = orders.id
        WHERE held.cart_item_id = cart_items.id AND orders.status <> 'cancelled'
    );

-- name: retake_cart_item :execrows
-- Takes the item of an order that is no longer cancelled out of the cart again, if it
-- is still in it. Needs the user's lock.
-- Not scoped by user: called with an order of the user that is locked.
UPDATE cart_items
SET deleted_at = now()
FROM order_items AS snapshot
WHERE
    snapshot.order_id = @order_id
    AND cart_items.id = snapshot.cart_item_id
    AND cart_items.deleted_at IS NULL
    AND cart_items.on_chain_object_id IS NULL;
