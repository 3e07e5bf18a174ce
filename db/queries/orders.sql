-- name: lock_crossmint_orders :exec
-- Waits until no other transaction works on these Crossmint orders, whether or not
-- they are known here yet, and keeps others out until this one ends. Locks in the
-- order of the ids, so that two callers cannot block each other.
-- Not scoped by user: reads nothing of theirs.
SELECT pg_advisory_xact_lock(hashtextextended(sorted.crossmint_order_id, 0))
FROM (
    SELECT DISTINCT wanted.crossmint_order_id
    FROM unnest(@crossmint_order_ids::text []) AS wanted (crossmint_order_id)
    ORDER BY wanted.crossmint_order_id
) AS sorted;

-- name: create_orders :many
-- @deferred
-- Creates the orders of one checkout, matched by place, and locks their user first.
-- Creates none if there is no such user.
WITH owner AS (
    SELECT users.id FROM users WHERE users.id = @user_id FOR NO KEY UPDATE
)

INSERT INTO orders (id, user_id, type, checkout_id, crossmint_order_id, amount_usdc, tx_hash)
SELECT
    line.id,
    owner.id,
    'checkout',
    @checkout_id::uuid,
    line.crossmint_order_id,
    line.amount_usdc,
    line.tx_hash
FROM owner
CROSS JOIN ROWS FROM (
    unnest(@ids::uuid []),
    unnest(@crossmint_order_ids::text []),
    unnest(@amounts_usdc::numeric []),
    unnest(@tx_hashes::text [])
) AS line (id, crossmint_order_id, amount_usdc, tx_hash)
RETURNING *;

-- name: insert_order_event :execrows
-- Keeps an event of a Crossmint order; one that is there stays as it is.
-- Not scoped by user: Crossmint names the order only, which may not be here yet.
INSERT INTO order_events (id, crossmint_order_id, type, payment_hash, amount_usdc, payload)
VALUES (
    @id,
    @crossmint_order_id::text,
    @type,
    sqlc.narg(payment_hash),
    sqlc.narg(amount_usdc),
    @payload::jsonb
)
ON CONFLICT (id) DO NOTHING;

-- name: insert_order_cancellation :execrows
-- Keeps that the user cancelled an order; once an order.
-- Not scoped by user: called with an order of the user that is locked.
INSERT INTO order_events (id, order_id, type)
VALUES ('user.cancelled:' || @order_id::uuid, @order_id::uuid, 'user.cancelled')
ON CONFLICT (id) DO NOTHING;

-- name: lock_owner_of_crossmint_order :one
-- Locks the user of a Crossmint order and returns the order's id; nothing, if the order
-- is not here yet. Says nothing else of the order, which may change during the wait.
-- Not scoped by user: Crossmint names the order only.
SELECT orders.id
FROM orders
INNER JOIN users ON orders.user_id = users.id
WHERE orders.crossmint_order_id = @crossmint_order_id::text
FOR NO KEY UPDATE OF users;

-- name: recompute_orders :many
-- @deferred
-- Makes status, payment hash and amount of checkouts what their events say, and returns
-- those that changed, with the status before. Hash and amount are those of the payment
-- with the smallest event id that has one. Runs after the locks are held, as a
-- statement of its own: an earlier one would not see what was committed meanwhile.
-- Not scoped by user: called with ids of orders whose user is locked. The subselect hides
-- the array's length from the planner, which would otherwise plan anew at each call.
WITH evidence AS (
    SELECT
        orders.id,
        orders.status AS status_before,
        order_status_of(array_agg(event.type)) AS status,
        (
            array_agg(event.payment_hash ORDER BY event.id COLLATE "C")
            FILTER (WHERE event.type = 'orders.payment.succeeded' AND event.payment_hash IS NOT NULL)
        )[1] AS payment_hash,
        (
            array_agg(event.amount_usdc ORDER BY event.id COLLATE "C")
            FILTER (WHERE event.type = 'orders.payment.succeeded' AND event.amount_usdc IS NOT NULL)
        )[1] AS amount_usdc
    FROM orders
    INNER JOIN order_events AS event
        ON
            event.crossmint_order_id = orders.crossmint_order_id
            OR event.order_id = orders.id
    WHERE orders.id = ANY((SELECT @ids::uuid [])::uuid []) AND orders.type = 'checkout'
    GROUP BY orders.id
)

UPDATE orders
SET
    status = evidence.status,
    payment_hash = coalesce(evidence.payment_hash, orders.payment_hash),
    amount_usdc = coalesce(evidence.amount_usdc, orders.amount_usdc)
FROM evidence
WHERE
    orders.id = evidence.id
    AND (orders.status, orders.payment_hash, orders.amount_usdc) IS DISTINCT FROM (
        evidence.status,
        coalesce(evidence.payment_hash, orders.payment_hash),
        coalesce(evidence.amount_usdc, orders.amount_usdc)
    )
RETURNING sqlc.embed(orders), evidence.status_before;

-- name: get_order :one
-- Returns one of a user's orders.
SELECT * FROM orders WHERE id = @id AND user_id = @user_id;

-- name: list_orders :many
-- Lists a user's orders, the newest first, from before the one given (all from the
-- newest, if none), each checkout with its product. Of one type or status, if given.
-- Reads orders_user_id_created_at_idx.
SELECT
    sqlc.embed(orders),
    sqlc.embed(order_items)
FROM orders
LEFT JOIN order_items ON orders.id = order_items.order_id
WHERE
    orders.user_id = @user_id
    AND (sqlc.narg(type)::order_type IS NULL OR orders.type = sqlc.narg(type)::order_type)
    AND (
        sqlc.narg(status)::order_status IS NULL
        OR orders.status = sqlc.narg(status)::order_status
    )
    AND (
        sqlc.narg(before_created_at)::timestamptz IS NULL
        OR (orders.created_at, orders.id)
        < (sqlc.narg(before_created_at)::timestamptz, sqlc.narg(before_id)::uuid)
    )
ORDER BY orders.created_at DESC, orders.id DESC
LIMIT @max_rows;

-- name: list_orders_of_checkouts :many
-- Lists all orders, with their snapshots, of the user's checkouts that made any of the
-- Crossmint orders or transactions given.
SELECT
    sqlc.embed(orders),
    sqlc.embed(order_items)
FROM orders
INNER JOIN order_items ON orders.id = order_items.order_id
WHERE
    orders.user_id = @user_id
    AND orders.checkout_id IN (
        SELECT made.checkout_id
        FROM orders AS made
        WHERE
            made.user_id = @user_id
            AND (
                made.crossmint_order_id = ANY(@crossmint_order_ids::text [])
                OR made.tx_hash = ANY(@tx_hashes::text [])
            )
    )
ORDER BY orders.id;

-- name: list_items_paid_twice :many
-- Lists a user's cart items that more than one uncancelled order holds, with those
-- orders: money that came for an order after it was cancelled, and is owed back.
SELECT
    order_items.cart_item_id,
    sqlc.embed(orders)
FROM orders
INNER JOIN order_items ON orders.id = order_items.order_id
WHERE
    orders.user_id = @user_id
    AND orders.status <> 'cancelled'
    AND EXISTS (
        SELECT FROM order_items AS other
        INNER JOIN orders AS other_order ON other.order_id = other_order.id
        WHERE
            other.cart_item_id = order_items.cart_item_id
            AND other.order_id <> order_items.order_id
            AND other_order.status <> 'cancelled'
    )
ORDER BY order_items.cart_item_id, orders.created_at, orders.id
LIMIT @max_rows;

-- name: attach_crossmint_order :one
-- Names the Crossmint order of a checkout that had none, and its amount if known. The
-- same again returns the order; one that has another Crossmint order returns nothing.
-- Needs the locks of the Crossmint order and the user.
UPDATE orders
SET
    crossmint_order_id = @crossmint_order_id::text,
    amount_usdc = coalesce(sqlc.narg(amount_usdc), orders.amount_usdc)
WHERE
    orders.id = @id
    AND orders.user_id = @user_id
    AND orders.type = 'checkout'
    AND (
        orders.crossmint_order_id IS NULL
        OR orders.crossmint_order_id = @crossmint_order_id::text
    )
RETURNING *;

-- name: attach_transaction :one
-- Records the Sui digest that paid for a checkout, once. The same again returns the
-- order; one that has another digest returns nothing.
UPDATE orders
SET tx_hash = @tx_hash::text
WHERE
    orders.id = @id
    AND orders.user_id = @user_id
    AND orders.type = 'checkout'
    AND (orders.tx_hash IS NULL OR orders.tx_hash = @tx_hash::text)
RETURNING *;
