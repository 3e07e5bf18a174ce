-- name: lock_cart :exec
-- Locks a user against whatever else changes the user's cart or orders. What comes next
-- in the transaction sees all that was committed meanwhile.
SELECT FROM users WHERE users.id = @user_id FOR NO KEY UPDATE;

-- name: add_cart_item :one
-- @deferred
-- Puts a product into the user's cart as an item of this id. If the same variant is in
-- it, that item is returned as it is. Returns nothing if there is no such user, or the cart
-- has @max_items already. Needs the user's lock, taken by a statement before: two callers
-- at once could both see room.

-- For Citus (13.2) the tables stand in a CTE, as to an INSERT's own SELECT from one it adds
-- "WHERE ( IS NOT NULL)", and no parameter behind ON CONFLICT, where it forgets the types.
-- Texts are compared as the columns keep them: without blanks beyond their length.
WITH cart AS (
    SELECT users.id AS user_id
    FROM users
    WHERE
        users.id = @user_id
        AND (
            SELECT
                count(*) < @max_items::integer
                OR bool_or(
                    (live.product_id, live.size, live.color) IS NOT DISTINCT FROM (
                        sqlc.arg(product_id)::text::varchar(255),
                        sqlc.narg(size)::text::varchar(50),
                        sqlc.narg(color)::text::varchar(50)
                    )
                )
            FROM cart_items AS live
            WHERE live.user_id = @user_id AND live.deleted_at IS NULL
        )
)

INSERT INTO cart_items (
    id, user_id, product_id, product_name, price, image, product_url, size, color, retailer
)
SELECT
    @id,
    cart.user_id,
    @product_id::text,
    @product_name,
    @price,
    sqlc.narg(image),
    sqlc.narg(product_url),
    sqlc.narg(size)::text,
    sqlc.narg(color)::text,
    sqlc.narg(retailer)
FROM cart
ON CONFLICT (user_id, product_id, size, color) WHERE deleted_at IS NULL DO UPDATE
SET product_id = excluded.product_id
RETURNING *;

-- name: replace_cart_item :execrows
-- @deferred
-- Gives the details of a product to the item of the same variant that is in the user's cart,
-- if one is. Needs the user's lock, as add_cart_item does, which comes after it.
UPDATE cart_items
SET
    product_name = @product_name,
    price = @price,
    image = sqlc.narg(image),
    product_url = sqlc.narg(product_url),
    retailer = sqlc.narg(retailer)
WHERE
    user_id = @user_id
    AND (product_id, size, color) IS NOT DISTINCT FROM (
        sqlc.arg(product_id)::text::varchar(255),
        sqlc.narg(size)::text::varchar(50),
        sqlc.narg(color)::text::varchar(50)
    )
    AND deleted_at IS NULL;

-- name: get_cart_item :one
-- Returns an item that is in the user's cart, by its id or by its name on chain.

-- Reads cart_items_pkey and cart_items_on_chain_object_id_key.
SELECT *
FROM cart_items
WHERE
    user_id = @user_id
    AND (id = sqlc.narg(id) OR on_chain_object_id = sqlc.narg(on_chain_object_id)::text)
    AND deleted_at IS NULL;

-- name: list_named_cart_items :many
-- Lists the items of a user, in the cart or not, that are named by id or on chain.
SELECT *
FROM cart_items
WHERE
    user_id = @user_id
    AND (id = ANY(@ids::uuid []) OR on_chain_object_id = ANY(@on_chain_object_ids::text []))
ORDER BY id;

-- name: remove_cart_item :one
-- Takes one item out of a user's cart, named by its id or on chain; returns nothing if
-- it is not in it. Needs no lock on the user: the row itself decides between a removal
-- and a checkout.
UPDATE cart_items
SET deleted_at = now()
WHERE
    user_id = @user_id
    AND (id = sqlc.narg(id) OR on_chain_object_id = sqlc.narg(on_chain_object_id)::text)
    AND deleted_at IS NULL
RETURNING *;

-- name: get_named_cart_item :one
-- Returns an item of a user, in the cart or not, that is named by its id or on chain, with
-- the order that holds it, if any does; both as they are at one moment.
SELECT
    sqlc.embed(cart_items),
    sqlc.embed(orders)
FROM cart_items
LEFT JOIN order_items ON cart_items.id = order_items.cart_item_id
LEFT JOIN orders
    ON
        order_items.order_id = orders.id
        AND order_holds_item(orders.status, orders.checkout_id)
WHERE
    cart_items.user_id = @user_id
    AND (
        cart_items.id = sqlc.narg(id)
        OR cart_items.on_chain_object_id = sqlc.narg(on_chain_object_id)::text
    )
ORDER BY orders.id NULLS LAST
LIMIT 1;

-- name: clear_cart :execrows
-- @deferred
-- Takes everything out of a user's cart. Needs the user's lock, taken by a statement
-- before: several rows are locked here and in a checkout, each in an order of its own,
-- and what was added while this waited would stay.
UPDATE cart_items
SET deleted_at = now()
WHERE user_id = @user_id AND deleted_at IS NULL;

-- name: claim_cart_items :many
-- @deferred
-- Takes the items of new orders out of the cart and keeps each as its order's snapshot,
-- matched by place. An item is named by its id, on chain, or both. One that is not in the
-- user's cart, not at the price that is expected (in USD cents; any, if NULL), or named by
-- another line too, leaves a NULL product_id, which the snapshot refuses, and with it the
-- whole transaction. An order that was cancelled before it came here leaves its item in
-- the cart. Needs the user's lock.

-- The subselects hide the arrays' length from the planner, which would otherwise think a
-- plan for this very length cheaper than the prepared one, and plan anew at each call. Those
-- of one row leave it nothing but the key's index: without statistics it would read all
-- orders for a join, and all that was ever in the user's cart.
WITH named AS (
    SELECT
        line.order_id,
        line.expected_price,
        (SELECT orders.status FROM orders WHERE orders.id = line.order_id) AS status,
        coalesce(
            (
                SELECT CASE WHEN by_id.user_id = @user_id THEN by_id.id END
                FROM cart_items AS by_id
                WHERE by_id.id = line.cart_item_id
            ),
            (
                SELECT CASE WHEN on_chain.user_id = @user_id THEN on_chain.id END
                FROM cart_items AS on_chain
                WHERE on_chain.on_chain_object_id = line.on_chain_object_id
            )
        ) AS cart_item_id
    FROM ROWS FROM (
        unnest((SELECT @order_ids::uuid [])),
        unnest((SELECT @cart_item_ids::uuid [])),
        unnest((SELECT @on_chain_object_ids::text [])),
        unnest((SELECT @expected_prices::integer []))
    ) AS line (order_id, cart_item_id, on_chain_object_id, expected_price)
),

lines AS (
    SELECT
        named.order_id,
        named.expected_price,
        named.cart_item_id,
        CASE WHEN named.status <> 'cancelled' THEN now() END AS taken_at,
        count(*) OVER (PARTITION BY named.cart_item_id) AS mentions
    FROM named
),

claimed AS (
    UPDATE cart_items
    SET deleted_at = lines.taken_at
    FROM lines
    WHERE
        cart_items.id = lines.cart_item_id
        AND cart_items.user_id = @user_id
        AND cart_items.deleted_at IS NULL
        AND lines.mentions = 1
        AND coalesce(lines.expected_price, cart_items.price) = cart_items.price
    RETURNING cart_items.*
)

INSERT INTO order_items (
    order_id, cart_item_id, product_id, product_name, price,
    image, product_url, size, color, retailer, on_chain_object_id
)
SELECT
    lines.order_id,
    lines.cart_item_id,
    claimed.product_id,
    claimed.product_name,
    claimed.price,
    claimed.image,
    claimed.product_url,
    claimed.size,
    claimed.color,
    claimed.retailer,
    claimed.on_chain_object_id
FROM lines
LEFT JOIN claimed ON lines.cart_item_id = claimed.id
RETURNING *;

-- name: claim_cart_items_by_id :many
-- @deferred
-- Does what claim_cart_items does, where each line names another item's id and no event of
-- the orders came before them. One that is not in the user's cart, or not at the price that
-- is expected, leaves a NULL product_id, which the snapshot refuses. Needs the user's lock.

-- The subselects hide the arrays' length, as there.
WITH line AS (
    SELECT
        line.order_id,
        line.cart_item_id,
        line.expected_price
    FROM ROWS FROM (
        unnest((SELECT @order_ids::uuid [])),
        unnest((SELECT @cart_item_ids::uuid [])),
        unnest((SELECT @expected_prices::integer []))
    ) AS line (order_id, cart_item_id, expected_price)
),

claimed AS (
    UPDATE cart_items
    SET deleted_at = now()
    FROM line
    WHERE
        cart_items.id = line.cart_item_id
        AND cart_items.user_id = @user_id
        AND cart_items.deleted_at IS NULL
        AND coalesce(line.expected_price, cart_items.price) = cart_items.price
    RETURNING cart_items.*
)

INSERT INTO order_items (
    order_id, cart_item_id, product_id, product_name, price,
    image, product_url, size, color, retailer, on_chain_object_id
)
SELECT
    line.order_id,
    line.cart_item_id,
    claimed.product_id,
    claimed.product_name,
    claimed.price,
    claimed.image,
    claimed.product_url,
    claimed.size,
    claimed.color,
    claimed.retailer,
    claimed.on_chain_object_id
FROM line
LEFT JOIN claimed ON line.cart_item_id = claimed.id
RETURNING *;

-- name: restore_cart_item :execrows
-- Puts the item of a cancelled order back into the cart, however many are in it, unless
-- the same variant is there, another order holds the item, the chain's mirror rules it, or
-- the chain has ended it. Needs the user's lock, which keeps a duplicate variant from
-- being added meanwhile.

-- Not scoped by user: called with an order of the user that is locked.
UPDATE cart_items
SET deleted_at = NULL
FROM order_items AS snapshot
WHERE
    snapshot.order_id = @order_id
    AND cart_items.id = snapshot.cart_item_id
    AND cart_items.deleted_at IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM chain_events AS event
        WHERE event.object_id = cart_items.on_chain_object_id
    )
    AND cart_items.ended_at IS NULL
    AND NOT EXISTS (
        SELECT FROM cart_items AS duplicate
        WHERE
            duplicate.user_id = cart_items.user_id
            AND duplicate.product_id = cart_items.product_id
            AND duplicate.size IS NOT DISTINCT FROM cart_items.size
            AND duplicate.color IS NOT DISTINCT FROM cart_items.color
            AND duplicate.deleted_at IS NULL
    )
    AND NOT EXISTS (
        SELECT FROM order_items AS held
        INNER JOIN orders ON held.order_id = orders.id
        WHERE
            held.cart_item_id = cart_items.id
            AND order_holds_item(orders.status, orders.checkout_id)
    );

-- name: take_cart_item_of_order :execrows
-- Takes the item of a paid order out of the cart if it is in it: one that came back before
-- the money did, or that an adopted order had left there. Where the mirror knows the item,
-- it does so itself. Needs the user's lock.

-- Not scoped by user: called with an order of the user that is locked.
UPDATE cart_items
SET deleted_at = now()
FROM order_items AS snapshot
WHERE
    snapshot.order_id = @order_id
    AND cart_items.id = snapshot.cart_item_id
    AND cart_items.deleted_at IS NULL
    AND NOT EXISTS (
        SELECT FROM chain_events AS event
        WHERE event.object_id = cart_items.on_chain_object_id AND event.type = 'added'
    );
