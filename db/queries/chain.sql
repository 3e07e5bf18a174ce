-- name: advance_chain_cursor :exec
-- Moves the cursor to a checkpoint, never back, and locks it: those who record events
-- or apply them to a new user go one after the other. Taken before users' locks.
-- Not scoped by user: the chain's events are of all of them.
INSERT INTO chain_cursor (checkpoint)
VALUES (@checkpoint)
ON CONFLICT (id) DO UPDATE
SET checkpoint = greatest(chain_cursor.checkpoint, excluded.checkpoint);

-- name: get_chain_cursor :one
-- Returns the last checkpoint of which all events are recorded; nothing at the start.
-- Not scoped by user: the chain's events are of all of them.
SELECT checkpoint FROM chain_cursor;

-- name: insert_chain_events :exec
-- Keeps events, given as JSON objects; one that is there stays as it is.
-- Not scoped by user: the chain names wallets, which may be nobody's yet.
INSERT INTO chain_events (
    tx_digest, event_sequence, type, object_id, wallet_address, occurred_at,
    product_id, product_name, price, image, product_url, size, color, retailer
)
SELECT
    event.tx_digest,
    event.event_sequence,
    event.type,
    event.object_id,
    event.wallet_address,
    event.occurred_at,
    event.product ->> 'product_id',
    event.product ->> 'product_name',
    (event.product ->> 'price')::integer,
    event.product ->> 'image',
    event.product ->> 'product_url',
    event.product ->> 'size',
    event.product ->> 'color',
    event.product ->> 'retailer'
FROM jsonb_to_recordset(@events::jsonb) AS event (
    tx_digest text, event_sequence bigint, type text, object_id text, wallet_address text,
    occurred_at timestamptz, product jsonb
)
ON CONFLICT (tx_digest, event_sequence) DO NOTHING;

-- name: lock_owners_of_objects :many
-- Locks the users into whose carts these objects were added, by id; an object whose
-- `added` or whose user is not here yet has none. Not scoped by user: the chain's
-- events are of many.
SELECT users.id
FROM users
WHERE
    users.wallet_address IN (
        SELECT event.wallet_address
        FROM chain_events AS event
        WHERE event.object_id = ANY(@object_ids::text []) AND event.type = 'added'
    )
ORDER BY users.id
FOR NO KEY UPDATE;

-- name: adopt_cart_items :exec
-- Adding on chain what is in the cart off chain is adding the same item: its row becomes
-- that of the object, the smallest of those without a row. Needs the users' locks.
WITH newcomers AS (
    SELECT DISTINCT ON (users.id, event.product_id, event.size, event.color)
        users.id AS user_id,
        event.product_id,
        event.size,
        event.color,
        event.object_id
    FROM users
    INNER JOIN chain_events AS event ON users.wallet_address = event.wallet_address
    WHERE
        users.id = ANY(@user_ids::uuid [])
        AND event.type = 'added'
        AND NOT EXISTS (
            SELECT FROM cart_items AS mirrored
            WHERE mirrored.on_chain_object_id = event.object_id
        )
        AND NOT EXISTS (
            SELECT FROM users AS elder
            WHERE
                elder.wallet_address = users.wallet_address
                AND (elder.created_at, elder.id) < (users.created_at, users.id)
        )
    ORDER BY users.id, event.product_id, event.size, event.color, event.object_id COLLATE "C"
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
-- Makes users' carts what the stored events say, one row an object. An object ends with
-- its first `removed` or `checked_out`; until then an uncancelled order may hold it; of
-- a variant's objects that have not ended, all but the smallest wait, and that one too
-- while a row that is no object of these has the place. Waiting is to be deleted since
-- the beginning. Computes all anew, so that the events' order is of no account; a cart
-- has few rows. Of several users with one wallet the eldest is meant. Rows that leave
-- are written before those that come: the active variant is unique at each step. Needs
-- the users' locks, held before the statement begins.
WITH added AS (
    SELECT DISTINCT ON (event.object_id)
        users.id AS user_id,
        event.*
    FROM users
    INNER JOIN chain_events AS event ON users.wallet_address = event.wallet_address
    WHERE
        users.id = ANY(@user_ids::uuid [])
        AND event.type = 'added'
        AND NOT EXISTS (
            SELECT FROM users AS elder
            WHERE
                elder.wallet_address = users.wallet_address
                AND (elder.created_at, elder.id) < (users.created_at, users.id)
        )
    ORDER BY
        event.object_id,
        event.occurred_at,
        event.tx_digest COLLATE "C",
        event.event_sequence
),

objects AS (
    SELECT
        added.*,
        (
            SELECT min(ending.occurred_at)
            FROM chain_events AS ending
            WHERE ending.object_id = added.object_id AND ending.type <> 'added'
        ) AS ended_at,
        (
            SELECT min(orders.created_at)
            FROM cart_items AS mirrored
            INNER JOIN order_items AS held ON mirrored.id = held.cart_item_id
            INNER JOIN orders ON held.order_id = orders.id
            WHERE
                mirrored.on_chain_object_id = added.object_id
                AND held.on_chain_object_id = added.object_id
                AND orders.status <> 'cancelled'
        ) AS held_at
    FROM added
),

ranked AS (
    SELECT
        objects.*,
        row_number() OVER (
            PARTITION BY
                objects.user_id,
                objects.product_id,
                objects.size,
                objects.color,
                objects.ended_at IS NULL
            ORDER BY objects.object_id COLLATE "C"
        ) AS place
    FROM objects
),

wanted AS (
    SELECT
        ranked.*,
        coalesce(
            ranked.ended_at,
            ranked.held_at,
            CASE
                WHEN
                    ranked.place > 1
                    OR EXISTS (
                        SELECT FROM cart_items AS twin
                        WHERE
                            twin.user_id = ranked.user_id
                            AND twin.product_id = ranked.product_id
                            AND twin.size IS NOT DISTINCT FROM ranked.size
                            AND twin.color IS NOT DISTINCT FROM ranked.color
                            AND twin.deleted_at IS NULL
                            AND NOT EXISTS (
                                SELECT FROM added
                                WHERE added.object_id = twin.on_chain_object_id
                            )
                    )
                    THEN ranked.occurred_at
            END
        ) AS deleted_at
    FROM ranked
)

INSERT INTO cart_items (
    user_id, product_id, product_name, price, image, product_url, size, color, retailer,
    tx_digest, on_chain_object_id, deleted_at, created_at
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
    wanted.occurred_at
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
    deleted_at = excluded.deleted_at
WHERE
    cart_items.user_id = excluded.user_id
    AND (
        cart_items.product_id, cart_items.product_name, cart_items.price, cart_items.image,
        cart_items.product_url, cart_items.size, cart_items.color, cart_items.retailer,
        cart_items.tx_digest, cart_items.deleted_at
    ) IS DISTINCT FROM (
        excluded.product_id, excluded.product_name, excluded.price, excluded.image,
        excluded.product_url, excluded.size, excluded.color, excluded.retailer,
        excluded.tx_digest, excluded.deleted_at
    );
