-- name: list_events_to_announce :many
-- Lists the events that were applied and not announced yet, those applied first before,
-- each with its order as it is now.

-- Reads order_events_to_announce_idx.
-- Not scoped by user: the worker serves all.
SELECT
    event.id,
    event.type,
    event.applied_at,
    event.status_before,
    event.status_after,
    sqlc.embed(orders)
FROM order_events AS event
INNER JOIN orders
    ON orders.id = coalesce(
        event.order_id,
        (
            SELECT named.id FROM orders AS named
            WHERE named.crossmint_order_id = event.crossmint_order_id
        )
    )
WHERE event.applied_at IS NOT NULL AND event.announced_at IS NULL
ORDER BY event.applied_at, event.received_at, event.id
LIMIT @max_rows;

-- name: mark_event_announced :execrows
-- Notes that an event was announced: 1 for the one caller who notes it first, 0 for all
-- others, and for an event whose order is not here. Who marks and writes what is to be
-- sent in one transaction sends it exactly once.

-- Not scoped by user: the worker serves all.
UPDATE order_events
SET announced_at = now()
WHERE id = @id AND applied_at IS NOT NULL AND announced_at IS NULL;

-- name: get_order :one
-- Returns one of a user's orders.
SELECT * FROM orders WHERE id = @id AND user_id = @user_id;

-- name: get_order_with_item :one
-- Returns one of a user's orders, with its snapshot if it has one.
SELECT
    sqlc.embed(orders),
    sqlc.embed(order_items)
FROM orders
LEFT JOIN order_items ON orders.id = order_items.order_id
WHERE orders.id = @id AND orders.user_id = @user_id;

-- name: get_order_by_crossmint_order :one
-- Returns the checkout of a Crossmint order with all that its worker needs: the snapshot,
-- if it has one, and the user's wallet; of the key only whether there is one.

-- Not scoped by user: Crossmint names the order only.
SELECT
    sqlc.embed(orders),
    sqlc.embed(order_items),
    owner.wallet_address,
    owner.has_sui_private_key
FROM orders
INNER JOIN user_profiles AS owner ON orders.user_id = owner.id
LEFT JOIN order_items ON orders.id = order_items.order_id
WHERE orders.crossmint_order_id = @crossmint_order_id::text AND orders.type = 'checkout';

-- name: count_orders :one
-- Counts a user's orders; of one type or status, if given.

-- Reads orders_user_id_created_at_idx.
SELECT count(*) FROM orders
WHERE
    orders.user_id = @user_id
    AND (sqlc.narg(type)::order_type IS NULL OR orders.type = sqlc.narg(type)::order_type)
    AND (
        sqlc.narg(status)::order_status IS NULL
        OR orders.status = sqlc.narg(status)::order_status
    );
