-- name: lock_chain_cursor :exec
-- Waits until no other transaction records events, and keeps others out until this one
-- ends. Taken before all other locks. Reads nothing: what the cursor is by then is a later
-- statement's to see.

-- As in lock_crossmint_orders: a row to lock, and the advisory lock of before 0017.
-- Not scoped by user: the chain's events are of all of them.
WITH earlier AS MATERIALIZED (
    SELECT pg_advisory_xact_lock(hashtext('chain_cursor'), 0) AS locked
)

INSERT INTO mutexes (id)
SELECT -1 FROM earlier
ON CONFLICT (id) DO UPDATE SET id = mutexes.id WHERE FALSE;

-- name: get_chain_cursor :one
-- Returns the cursor of the last page that was recorded; nothing at the start.

-- Not scoped by user: the chain's events are of all of them.
SELECT
    tx_digest,
    event_seq
FROM chain_cursor;

-- name: move_chain_cursor :exec
-- Sets the cursor, whatever it was. Needs its lock.

-- Not scoped by user: the chain's events are of all of them.
INSERT INTO chain_cursor (tx_digest, event_seq)
VALUES (@tx_digest, @event_seq)
ON CONFLICT (id) DO UPDATE
SET
    tx_digest = excluded.tx_digest,
    event_seq = excluded.event_seq;

-- name: list_known_wallets :many
-- Lists which of these wallets somebody here has.

-- Reads users_wallet_address_idx.
-- Not scoped by user: the chain names wallets.
SELECT DISTINCT coalesce(wallet_address, '') AS wallet_address
FROM users
WHERE wallet_address = ANY(@wallet_addresses::text [])
ORDER BY 1;

-- name: lock_users_of_wallets :many
-- Locks all users who have one of these wallets, by id.

-- Not scoped by user: the chain names wallets.
SELECT
    id,
    coalesce(wallet_address, '') AS wallet_address
FROM users
WHERE wallet_address = ANY(@wallet_addresses::text [])
ORDER BY id
FOR NO KEY UPDATE;

-- name: insert_chain_events :many
-- Keeps events, given as JSON objects; one that is there stays as it is, unless it came
-- without its time and is given with it now. Returns the transactions of those it wrote.

-- Not scoped by user: the chain names wallets, whose users are locked.
-- Returns, as insert_order_event does.
INSERT INTO chain_events (
    tx_digest, event_sequence, type, object_id, wallet_address, occurred_at,
    time_is_of_receipt, crossmint_order_id,
    product_id, product_name, price, image, product_url, size, color, retailer
)
SELECT
    event.tx_digest,
    event.event_sequence,
    event.type,
    event.object_id,
    event.wallet_address,
    event.occurred_at,
    event.time_is_of_receipt,
    event.crossmint_order_id,
    event.product_id,
    event.product_name,
    event.price,
    event.image,
    event.product_url,
    event.size,
    event.color,
    event.retailer
FROM jsonb_to_recordset(@events::jsonb) AS event (
    tx_digest text, event_sequence bigint, type text, object_id text, wallet_address text,
    occurred_at timestamptz, time_is_of_receipt boolean, crossmint_order_id text,
    product_id text, product_name text, price integer, image text, product_url text,
    size text, color text, retailer text
)
ON CONFLICT (tx_digest, event_sequence) DO UPDATE
SET
    occurred_at = excluded.occurred_at,
    time_is_of_receipt = FALSE
WHERE chain_events.time_is_of_receipt AND NOT excluded.time_is_of_receipt
RETURNING tx_digest;

-- name: adopt_cart_items :exec
-- Adding on chain what is in the cart off chain is adding the same item: its row becomes
-- that of the object, the smallest of those without a row. Of several users with one
-- wallet the eldest is meant. Needs the users' locks.
WITH added AS (
    SELECT DISTINCT ON (event.object_id)
        event.object_id,
        event.product_id,
        event.size,
        event.color,
        (
            SELECT users.id
            FROM users
            WHERE users.wallet_address = event.wallet_address
            ORDER BY users.created_at, users.id
            LIMIT 1
        ) AS user_id
    FROM chain_events AS event
    WHERE
        event.object_id = ANY((SELECT @object_ids::text [])::text [])
        AND event.type = 'added'
        AND NOT EXISTS (
            SELECT FROM cart_items AS mirrored
            WHERE mirrored.on_chain_object_id = event.object_id
        )
    ORDER BY
        event.object_id,
        event.occurred_at,
        event.tx_digest COLLATE "C",
        event.event_sequence
),

newcomers AS (
    SELECT DISTINCT ON (added.user_id, added.product_id, added.size, added.color) added.*
    FROM added
    WHERE added.user_id = ANY((SELECT @user_ids::uuid [])::uuid [])
    ORDER BY added.user_id, added.product_id, added.size, added.color, added.object_id COLLATE "C"
)

UPDATE cart_items
SET on_chain_object_id = newcomers.object_id
FROM newcomers
WHERE
    cart_items.user_id = newcomers.user_id
    AND cart_items.product_id = newcomers.product_id
    AND cart_items.size IS NOT DISTINCT FROM newcomers.size
    AND cart_items.color IS NOT DISTINCT FROM newcomers.color
    AND cart_items.deleted_at IS NULL
    AND cart_items.on_chain_object_id IS NULL;

-- name: mirror_cart_items :exec
-- Makes rows what the stored events and orders say, one an object: the rows of the objects
-- named, of the items of the orders named, and of those that take their place or lose it.
-- An object ends with its first `removed` or `checked_out`, told by its own wallet; a row
-- whose end was known before stays ended. Until then an order may hold it, and of a
-- variant's objects that have not ended all but the smallest wait, and that one too while
-- an item that is not on chain has the place. Waiting is to be deleted since the
-- beginning. An object's row stays its user's; a new one goes to the eldest with the
-- wallet. Rows that leave are written before those that come: the active variant is unique
-- at each step. Needs the locks of these users, and of those of the orders, held before
-- the statement begins.

-- Of the other objects of a variant only two can be concerned, the smallest and the one in
-- the cart, found by cart_items_held_by_contract_idx and cart_items_active_variant_key: so
-- the history of a cart does not matter.
-- The subselects hide the arrays' lengths from the planner, which would otherwise plan
-- anew at each call, for longer than the execution takes.
WITH ordered AS (
    SELECT
        item.on_chain_object_id,
        item.user_id,
        item.product_id,
        item.size,
        item.color
    FROM orders
    INNER JOIN order_items AS snapshot ON orders.id = snapshot.order_id
    INNER JOIN cart_items AS item
        ON snapshot.cart_item_id = item.id AND orders.user_id = item.user_id
    WHERE orders.id = ANY((SELECT @order_ids::uuid [])::uuid [])
),

named AS (
    SELECT given.object_id
    FROM unnest((SELECT @object_ids::text [])) AS given (object_id)
    UNION
    SELECT ordered.on_chain_object_id::text
    FROM ordered
    WHERE ordered.on_chain_object_id IS NOT NULL
),

objects AS (
    SELECT
        named.object_id,
        item.id AS item_id,
        coalesce(item.user_id, eldest.id) AS user_id,
        item.product_id AS former_product_id,
        item.size AS former_size,
        item.color AS former_color,
        CASE WHEN added.object_id IS NULL THEN item.product_id ELSE added.product_id END AS product_id,
        CASE WHEN added.object_id IS NULL THEN item.product_name ELSE added.product_name END AS product_name,
        CASE WHEN added.object_id IS NULL THEN item.price ELSE added.price END AS price,
        CASE WHEN added.object_id IS NULL THEN item.image ELSE added.image END AS image,
        CASE WHEN added.object_id IS NULL THEN item.product_url ELSE added.product_url END AS product_url,
        CASE WHEN added.object_id IS NULL THEN item.size ELSE added.size END AS size,
        CASE WHEN added.object_id IS NULL THEN item.color ELSE added.color END AS color,
        CASE WHEN added.object_id IS NULL THEN item.retailer ELSE added.retailer END AS retailer,
        CASE WHEN added.object_id IS NULL THEN item.tx_digest ELSE added.tx_digest END AS tx_digest,
        coalesce(added.occurred_at, item.created_at) AS added_at,
        coalesce(
            (
                SELECT min(ending.occurred_at)
                FROM chain_events AS ending
                WHERE
                    ending.object_id = named.object_id
                    AND ending.type <> 'added'
                    AND ending.wallet_address = coalesce(owner.wallet_address, added.wallet_address)
            ),
            item.ended_at
        ) AS ended_at
    FROM named
    LEFT JOIN cart_items AS item ON named.object_id = item.on_chain_object_id
    LEFT JOIN users AS owner ON item.user_id = owner.id
    LEFT JOIN LATERAL (
        SELECT event.*
        FROM chain_events AS event
        WHERE
            event.object_id = named.object_id
            AND event.type = 'added'
            AND (item.id IS NULL OR event.wallet_address = owner.wallet_address)
        ORDER BY event.occurred_at, event.tx_digest COLLATE "C", event.event_sequence
        LIMIT 1
    ) AS added ON TRUE
    LEFT JOIN LATERAL (
        SELECT users.id
        FROM users
        WHERE users.wallet_address = added.wallet_address
        ORDER BY users.created_at, users.id
        LIMIT 1
    ) AS eldest ON item.id IS NULL
),

ours AS (
    SELECT objects.*
    FROM objects
    WHERE
        objects.user_id = ANY((SELECT @user_ids::uuid [])::uuid [])
        OR objects.user_id IN (SELECT ordered.user_id FROM ordered)
),

variants AS (
    SELECT
        ours.user_id,
        ours.product_id,
        coalesce(ours.size, '') AS size,
        coalesce(ours.color, '') AS color
    FROM ours
    UNION
    SELECT
        ours.user_id,
        ours.former_product_id,
        coalesce(ours.former_size, '') AS size,
        coalesce(ours.former_color, '') AS color
    FROM ours
    WHERE ours.item_id IS NOT NULL
    UNION
    SELECT
        ordered.user_id,
        ordered.product_id,
        coalesce(ordered.size, '') AS size,
        coalesce(ordered.color, '') AS color
    FROM ordered
),

concerned AS (
    SELECT other.id
    FROM variants
    CROSS JOIN LATERAL (
        SELECT item.id
        FROM cart_items AS item
        WHERE
            item.user_id = variants.user_id
            AND item.product_id = variants.product_id
            AND coalesce(item.size, '') = variants.size
            AND coalesce(item.color, '') = variants.color
            AND item.on_chain_object_id IS NOT NULL
            AND item.ended_at IS NULL
            AND item.on_chain_object_id <> ALL (SELECT named.object_id FROM named)
        ORDER BY item.on_chain_object_id COLLATE "C"
        LIMIT 1
    ) AS other
    UNION
    SELECT item.id
    FROM variants
    INNER JOIN cart_items AS item
        ON
            variants.user_id = item.user_id
            AND variants.product_id = item.product_id
            AND variants.size = coalesce(item.size, '')
            AND variants.color = coalesce(item.color, '')
    WHERE
        item.deleted_at IS NULL
        AND item.on_chain_object_id IS NOT NULL
        AND item.on_chain_object_id <> ALL (SELECT named.object_id FROM named)
),

candidates AS (
    SELECT
        ours.object_id,
        ours.item_id,
        ours.user_id,
        ours.product_id,
        ours.product_name,
        ours.price,
        ours.image,
        ours.product_url,
        ours.size,
        ours.color,
        ours.retailer,
        ours.tx_digest,
        ours.added_at,
        ours.ended_at
    FROM ours
    UNION ALL
    SELECT
        item.on_chain_object_id,
        item.id,
        item.user_id,
        item.product_id,
        item.product_name,
        item.price,
        item.image,
        item.product_url,
        item.size,
        item.color,
        item.retailer,
        item.tx_digest,
        coalesce(
            (
                SELECT min(event.occurred_at)
                FROM chain_events AS event
                WHERE
                    event.object_id = item.on_chain_object_id
                    AND event.type = 'added'
                    AND event.wallet_address = owner.wallet_address
            ),
            item.created_at
        ),
        item.ended_at
    FROM concerned
    INNER JOIN cart_items AS item ON concerned.id = item.id
    INNER JOIN users AS owner ON item.user_id = owner.id
),

ranked AS (
    SELECT
        candidates.*,
        row_number() OVER (
            PARTITION BY
                candidates.user_id,
                candidates.product_id,
                candidates.size,
                candidates.color,
                candidates.ended_at IS NULL
            ORDER BY candidates.object_id COLLATE "C"
        ) AS place
    FROM candidates
),

wanted AS (
    SELECT
        ranked.*,
        coalesce(
            ranked.ended_at,
            (
                SELECT min(orders.created_at)
                FROM order_items AS held
                INNER JOIN orders ON held.order_id = orders.id
                WHERE
                    held.cart_item_id = ranked.item_id
                    AND order_holds_item(orders.status, orders.checkout_id)
            ),
            CASE
                WHEN
                    ranked.place > 1
                    OR EXISTS (
                        SELECT FROM cart_items AS duplicate
                        WHERE
                            duplicate.user_id = ranked.user_id
                            AND duplicate.product_id = ranked.product_id
                            AND duplicate.size IS NOT DISTINCT FROM ranked.size
                            AND duplicate.color IS NOT DISTINCT FROM ranked.color
                            AND duplicate.deleted_at IS NULL
                            AND duplicate.on_chain_object_id IS NULL
                    )
                    THEN ranked.added_at
            END
        ) AS deleted_at
    FROM ranked
)

INSERT INTO cart_items (
    user_id, product_id, product_name, price, image, product_url, size, color, retailer,
    tx_digest, on_chain_object_id, deleted_at, ended_at, created_at
)
SELECT
    wanted.user_id,
    wanted.product_id,
    wanted.product_name,
    wanted.price,
    wanted.image,
    wanted.product_url,
    wanted.size,
    wanted.color,
    wanted.retailer,
    wanted.tx_digest,
    wanted.object_id,
    wanted.deleted_at,
    wanted.ended_at,
    wanted.added_at
FROM wanted
ORDER BY wanted.deleted_at IS NULL, wanted.object_id COLLATE "C"
ON CONFLICT (on_chain_object_id) DO UPDATE
SET
    product_id = excluded.product_id,
    product_name = excluded.product_name,
    price = excluded.price,
    image = excluded.image,
    product_url = excluded.product_url,
    size = excluded.size,
    color = excluded.color,
    retailer = excluded.retailer,
    tx_digest = excluded.tx_digest,
    deleted_at = excluded.deleted_at,
    ended_at = excluded.ended_at
WHERE
    (
        cart_items.product_id, cart_items.product_name, cart_items.price, cart_items.image,
        cart_items.product_url, cart_items.size, cart_items.color, cart_items.retailer,
        cart_items.tx_digest, cart_items.deleted_at, cart_items.ended_at
    ) IS DISTINCT FROM (
        excluded.product_id, excluded.product_name, excluded.price, excluded.image,
        excluded.product_url, excluded.size, excluded.color, excluded.retailer,
        excluded.tx_digest, excluded.deleted_at, excluded.ended_at
    );

-- name: link_snapshots_to_cart_items :exec
-- Gives snapshots that were made of an OrderCreated their cart item, where that is here.
-- Needs the users' locks.

-- Reads order_items_without_cart_item_idx.
UPDATE order_items
SET cart_item_id = item.id
FROM cart_items AS item, orders
WHERE
    item.on_chain_object_id = ANY((SELECT @object_ids::text [])::text [])
    AND item.user_id = ANY((SELECT @user_ids::uuid [])::uuid [])
    AND order_items.on_chain_object_id = item.on_chain_object_id
    AND order_items.cart_item_id IS NULL
    AND order_items.order_id = orders.id
    AND orders.user_id = item.user_id;

-- name: get_order_of_chain_event :one
-- Returns what there is to an OrderCreated: whose order it is, and which order has its
-- Crossmint id, if one has. Nothing, if the event is not kept. The owner is the item's, or
-- the eldest with the wallet. Needs the locks of the Crossmint id and of the users.

-- Not scoped by user: the chain names wallets.
SELECT
    (
        SELECT users.id
        FROM users
        LEFT JOIN cart_items AS item
            ON users.id = item.user_id AND item.on_chain_object_id = event.object_id
        WHERE users.wallet_address = event.wallet_address
        ORDER BY item.id IS NULL, users.created_at, users.id
        LIMIT 1
    ) AS owner_id,
    orders.id AS order_id,
    orders.tx_hash,
    coalesce(orders.type = 'checkout' AND buyer.wallet_address = event.wallet_address, FALSE) AS is_owners,
    coalesce(
        snapshot.id IS NULL
        OR coalesce(snapshot.on_chain_object_id, bought.on_chain_object_id) = event.object_id,
        FALSE
    ) AS is_of_item,
    EXISTS (
        SELECT FROM retired_orders AS retired
        WHERE retired.crossmint_order_id = event.crossmint_order_id
    ) AS is_retired,
    EXISTS (
        SELECT FROM orders AS other
        WHERE
            other.tx_hash = event.tx_digest
            AND other.crossmint_order_id IS DISTINCT FROM event.crossmint_order_id
    )
    OR EXISTS (
        SELECT FROM retired_orders AS retired
        WHERE
            retired.tx_hash = event.tx_digest
            AND retired.crossmint_order_id IS DISTINCT FROM event.crossmint_order_id
    ) AS digest_is_used
FROM chain_events AS event
LEFT JOIN orders ON event.crossmint_order_id = orders.crossmint_order_id
LEFT JOIN users AS buyer ON orders.user_id = buyer.id
LEFT JOIN order_items AS snapshot ON orders.id = snapshot.order_id
LEFT JOIN cart_items AS bought ON snapshot.cart_item_id = bought.id
WHERE event.tx_digest = @tx_digest AND event.event_sequence = @event_sequence;

-- name: create_order_of_chain_event :one
-- Creates the order that an OrderCreated names, as old as the event, with its product as
-- the snapshot and its price as the amount. It has no checkout_id, and so holds nothing
-- before it is paid.

-- Not scoped by user: its user is the one that the event's wallet names.
WITH event AS (
    SELECT chain_events.*
    FROM chain_events
    WHERE chain_events.tx_digest = @tx_digest AND chain_events.event_sequence = @event_sequence
),

created AS (
    INSERT INTO orders (user_id, type, crossmint_order_id, amount_usdc, tx_hash, created_at)
    SELECT
        @owner_id,
        'checkout',
        event.crossmint_order_id,
        CASE WHEN event.price > 0 THEN event.price / 100.0 END,
        CASE WHEN @with_digest::boolean THEN event.tx_digest END,
        event.occurred_at
    FROM event
    RETURNING orders.id
)

INSERT INTO order_items (
    order_id, product_id, product_name, price, image, product_url, size, color, retailer,
    on_chain_object_id
)
SELECT
    created.id,
    event.product_id,
    event.product_name,
    event.price,
    event.image,
    event.product_url,
    event.size,
    event.color,
    event.retailer,
    event.object_id
FROM created
CROSS JOIN event
RETURNING order_id;

-- name: record_digest_of_order :exec
-- Records the transaction of an OrderCreated on its order, which has none.

-- Not scoped by user: called with an order whose user is locked.
UPDATE orders
SET tx_hash = @tx_digest::text
WHERE id = @order_id AND tx_hash IS NULL;

-- name: set_chain_events_aside :exec
-- Keeps events, matched by place, that could not be recorded. One that is there gets the
-- reason given now.

-- Not scoped by user: whose they are may be what cannot be read.
INSERT INTO set_aside_chain_events (id, reason, event, is_whole, wallet_address)
SELECT
    refused.id,
    refused.reason,
    refused.event,
    refused.is_whole,
    refused.wallet_address
FROM ROWS FROM (
    unnest(@ids::uuid []),
    unnest(@reasons::text []),
    unnest(@events::text []),
    unnest(@are_whole::boolean []),
    unnest(@wallet_addresses::text [])
) AS refused (id, reason, event, is_whole, wallet_address)
ON CONFLICT (id) DO UPDATE
SET reason = excluded.reason
WHERE set_aside_chain_events.reason <> excluded.reason;

-- name: list_set_aside_chain_events :many
-- Lists events that were set aside, the oldest first, after the one given.

-- Reads set_aside_chain_events_time_idx.
-- Not scoped by user: for a worker, and whose they are may be what cannot be read.
SELECT *
FROM set_aside_chain_events
WHERE
    (set_aside_at, id) > (
        coalesce(sqlc.narg(after_set_aside_at)::timestamptz, '-infinity'), sqlc.narg(after_id)::uuid
    )
ORDER BY set_aside_at, id
LIMIT @max_rows;
