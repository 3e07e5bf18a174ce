-- name: lock_crossmint_orders :exec
-- Waits until no other transaction works on these Crossmint orders, whether or not they
-- are known here yet, and keeps others out until this one ends. Locks rows of mutexes, one
-- for all orders of the same hash, in the rows' order, so that two callers cannot block
-- each other. Who waits for a row that another one is just making has it afterwards, too.

-- The update changes nothing: it is what locks a row that is there. First come the advisory
-- locks that alone kept others out until 0017: a process of before may run beside this one
-- while a version is rolled out. They go with the next version. The subselect hides the
-- array's length from the planner, which would otherwise plan anew at each call.
-- Not scoped by user: reads nothing of theirs.
WITH wanted AS MATERIALIZED (
    SELECT
        sorted.crossmint_order_id,
        pg_advisory_xact_lock(hashtextextended(sorted.crossmint_order_id, 0)) AS locked
    FROM (
        SELECT DISTINCT given.crossmint_order_id
        FROM unnest((SELECT @crossmint_order_ids::text [])) AS given (crossmint_order_id)
        ORDER BY given.crossmint_order_id
    ) AS sorted
)

INSERT INTO mutexes (id)
SELECT DISTINCT hashtextextended(wanted.crossmint_order_id, 0) & 4095 AS id
FROM wanted
ORDER BY 1
ON CONFLICT (id) DO UPDATE SET id = mutexes.id WHERE FALSE;

-- name: create_orders :many
-- @deferred
-- Creates the orders of one checkout, matched by place, and locks their user first.
-- Creates none if there is no such user. Where it is to be `eventless`, an order of which
-- an event came before gets no status, which the table refuses: recompute_orders is then
-- not needed. It looks for events in a CTE, since Citus (13.2.2) garbles a subquery of the
-- INSERT's own SELECT.

-- It counts events in place of NOT EXISTS, for which the planner would, without statistics,
-- read all that there are into a hash table. The subselects hide the arrays' length from the
-- planner, which would otherwise think a plan for this very length cheaper than the prepared
-- one, and plan anew at each call.
WITH owner AS (
    SELECT users.id FROM users WHERE users.id = @user_id FOR NO KEY UPDATE
),

line AS (
    SELECT
        line.id,
        line.crossmint_order_id,
        line.amount_usdc,
        CASE
            WHEN NOT @eventless::boolean OR (
                SELECT count(*)
                FROM order_events AS event
                WHERE event.crossmint_order_id = line.crossmint_order_id
            ) = 0 THEN 'awaiting_approval'
        END AS status
    FROM ROWS FROM (
        unnest((SELECT @ids::uuid [])),
        unnest((SELECT @crossmint_order_ids::text [])),
        unnest((SELECT @amounts_usdc::numeric []))
    ) AS line (id, crossmint_order_id, amount_usdc)
)

INSERT INTO orders (
    id, user_id, type, checkout_id, crossmint_order_id, amount_usdc, quoted_usdc, status
)
SELECT
    line.id,
    owner.id,
    'checkout',
    @checkout_id::uuid,
    line.crossmint_order_id,
    line.amount_usdc,
    line.amount_usdc,
    line.status
FROM owner
CROSS JOIN line
RETURNING *;

-- name: insert_order_event :one
-- Keeps an event of Crossmint's; one that is there stays as it is, and nothing is returned.
-- The body goes where it fits: parsed, if it is JSON that the server can hold, else as it
-- came.

-- Not scoped by user: Crossmint names the order only, which may not be here yet.
-- Returns, for Citus (13.2) counts what an INSERT selects, not what ON CONFLICT leaves of it.
WITH kept AS MATERIALIZED (
    SELECT
        CASE WHEN @is_json::boolean THEN jsonb_or_null(sqlc.narg(body)::bytea) END AS payload,
        sqlc.narg(body)::bytea AS body
)

INSERT INTO order_events (
    id, crossmint_order_id, type, payment_hash, amount_usdc, quoted_usdc, received_usdc,
    amount, currency, payload, raw
)
SELECT
    @id,
    sqlc.narg(crossmint_order_id)::text,
    sqlc.narg(type)::text,
    sqlc.narg(payment_hash)::text,
    sqlc.narg(amount_usdc)::numeric,
    sqlc.narg(quoted_usdc)::numeric,
    sqlc.narg(received_usdc)::numeric,
    sqlc.narg(amount)::numeric,
    sqlc.narg(currency)::text,
    kept.payload,
    CASE WHEN kept.payload IS NULL THEN kept.body END
FROM kept
ON CONFLICT (id) DO NOTHING
RETURNING id;

-- name: strip_retired_event :execrows
-- Keeps of an event only that it happened, if its order's user was deleted while the event
-- waited for that user's lock: it was kept before the deletion could be seen.

-- Not scoped by user: there is none any more.
UPDATE order_events
SET payload = NULL, raw = NULL, payment_hash = NULL
WHERE
    order_events.id = @id
    AND EXISTS (
        SELECT FROM retired_orders
        WHERE retired_orders.crossmint_order_id = order_events.crossmint_order_id
    );

-- name: insert_order_cancellation :execrows
-- Keeps that the user cancelled an order; once an order. Who asked for it needs no
-- announcement.

-- Not scoped by user: called with an order of the user that is locked.
INSERT INTO order_events (id, order_id, type, announced_at)
VALUES ('user.cancelled:' || @order_id::uuid, @order_id::uuid, 'user.cancelled', now())
ON CONFLICT (id) DO NOTHING;

-- name: lock_owner_of_crossmint_order :one
-- Locks the user of a Crossmint order and returns the order's id; nothing, if the order is
-- not here yet. Says nothing else of the order, which may change during the wait.

-- Not scoped by user: Crossmint names the order only.
SELECT orders.id
FROM orders
INNER JOIN users ON orders.user_id = users.id
WHERE orders.crossmint_order_id = @crossmint_order_id::text
FOR NO KEY UPDATE OF users;

-- name: recompute_orders :many
-- @deferred
-- Makes status, payment hash and amounts of checkouts what their events say, and returns
-- those that changed, with the status before. Hash and amounts are those of the payment
-- with the smallest event id that has one. Applies the events that were not yet, in the
-- order in which they came, and notes on each what it made of the status. Runs after the
-- locks are held, as a statement of its own: an earlier one would not see what was
-- committed meanwhile.

-- Not scoped by user: called with ids of orders whose user is locked.
-- The subselect hides the array's length from the planner, which would otherwise plan anew
-- at each call.
WITH happened AS (
    SELECT
        orders.id AS order_id,
        orders.status AS status_before,
        event.id,
        event.type,
        event.payment_hash,
        event.amount_usdc,
        event.quoted_usdc,
        event.received_usdc,
        event.applied_at,
        lag(event.applied_at IS NULL) OVER arrival AS follows_new,
        order_status_of(array_agg(event.type) OVER arrival) AS status_after,
        row_number() OVER arrival AS place
    FROM orders
    INNER JOIN order_events AS event
        ON
            event.crossmint_order_id = orders.crossmint_order_id
            OR event.order_id = orders.id
    WHERE orders.id = ANY((SELECT @ids::uuid [])::uuid []) AND orders.type = 'checkout'
    WINDOW arrival AS (
        PARTITION BY orders.id
        ORDER BY event.applied_at NULLS LAST, event.received_at, event.id COLLATE "C"
        ROWS UNBOUNDED PRECEDING
    )
),

judged AS (
    SELECT
        happened.id,
        happened.applied_at,
        happened.status_after,
        CASE
            WHEN happened.follows_new
                THEN lag(happened.status_after) OVER (
                    PARTITION BY happened.order_id ORDER BY happened.place
                )
            ELSE happened.status_before
        END AS status_before
    FROM happened
),

applied AS (
    UPDATE order_events
    SET
        applied_at = statement_timestamp(),
        status_before = judged.status_before,
        status_after = judged.status_after
    FROM judged
    WHERE order_events.id = judged.id AND judged.applied_at IS NULL
),

evidence AS (
    SELECT
        happened.order_id AS id,
        happened.status_before,
        order_status_of(array_agg(happened.type)) AS status,
        (
            array_agg(happened.payment_hash ORDER BY happened.id COLLATE "C")
            FILTER (WHERE happened.type = 'orders.payment.succeeded' AND happened.payment_hash IS NOT NULL)
        )[1] AS payment_hash,
        (
            array_agg(happened.amount_usdc ORDER BY happened.id COLLATE "C")
            FILTER (WHERE happened.type = 'orders.payment.succeeded' AND happened.amount_usdc IS NOT NULL)
        )[1] AS amount_usdc,
        (
            array_agg(happened.quoted_usdc ORDER BY happened.id COLLATE "C")
            FILTER (WHERE happened.type = 'orders.payment.succeeded' AND happened.quoted_usdc IS NOT NULL)
        )[1] AS quoted_usdc,
        (
            array_agg(happened.received_usdc ORDER BY happened.id COLLATE "C")
            FILTER (WHERE happened.type = 'orders.payment.succeeded' AND happened.received_usdc IS NOT NULL)
        )[1] AS received_usdc
    FROM happened
    GROUP BY happened.order_id, happened.status_before
)

UPDATE orders
SET
    status = evidence.status,
    payment_hash = coalesce(evidence.payment_hash, orders.payment_hash),
    amount_usdc = coalesce(evidence.amount_usdc, orders.amount_usdc),
    quoted_usdc = coalesce(evidence.quoted_usdc, orders.quoted_usdc),
    received_usdc = coalesce(evidence.received_usdc, orders.received_usdc),
    paid_late = orders.paid_late OR (
        evidence.status IN ('payment_confirmed', 'in_progress', 'delivered')
        AND CASE
            WHEN orders.status = 'cancelled' THEN TRUE
            WHEN orders.status = 'awaiting_approval' THEN EXISTS (
                SELECT FROM order_items AS mine
                INNER JOIN order_items AS theirs ON mine.cart_item_id = theirs.cart_item_id
                INNER JOIN orders AS other ON theirs.order_id = other.id
                WHERE
                    mine.order_id = orders.id
                    AND other.id <> orders.id
                    AND other.status IN ('payment_confirmed', 'in_progress', 'delivered')
            )
            ELSE FALSE
        END
    )
FROM evidence
WHERE
    orders.id = evidence.id
    AND (
        orders.status,
        orders.payment_hash,
        orders.amount_usdc,
        orders.quoted_usdc,
        orders.received_usdc
    ) IS DISTINCT FROM (
        evidence.status,
        coalesce(evidence.payment_hash, orders.payment_hash),
        coalesce(evidence.amount_usdc, orders.amount_usdc),
        coalesce(evidence.quoted_usdc, orders.quoted_usdc),
        coalesce(evidence.received_usdc, orders.received_usdc)
    )
RETURNING sqlc.embed(orders), evidence.status_before;

-- name: reread_order :one
-- Returns an order as it is under the locks.

-- Not scoped by user: called with an order whose user is locked.
SELECT * FROM orders WHERE id = @id;

-- name: get_received_event :one
-- Returns what became of an event of Crossmint's, with its order as it is now, if it is
-- here: status before and after are NULL until it was applied.

-- Not scoped by user: Crossmint names the order only.
SELECT
    event.status_before,
    event.status_after,
    event.announced_at,
    sqlc.embed(orders)
FROM order_events AS event
LEFT JOIN orders ON event.crossmint_order_id = orders.crossmint_order_id
WHERE event.id = @id;

-- name: list_payments_without_order :many
-- Lists the signed payments whose order is not here although they came longer ago than
-- that, the oldest first, from after the one given (all from the oldest, if none). Of an
-- order that was deleted with its user it says so.

-- Reads order_events_unmatched_payment_idx. It counts in place of EXISTS, for which the
-- planner would read the orders of all deleted users, as long as that seems to cost less
-- than a look for each row of a page.
-- Not scoped by user: nobody knows whose they are.
SELECT
    event.id,
    event.crossmint_order_id,
    event.payment_hash,
    event.amount_usdc,
    event.received_at,
    (
        SELECT count(*) > 0
        FROM retired_orders
        WHERE retired_orders.crossmint_order_id = event.crossmint_order_id
    ) AS is_retired
FROM order_events AS event
WHERE
    event.applied_at IS NULL
    AND event.type = 'orders.payment.succeeded'
    AND event.received_at < now() - @older_than::interval
    AND (event.received_at, event.id) > (
        coalesce(sqlc.narg(after_received_at)::timestamptz, '-infinity'), sqlc.narg(after_id)::text
    )
ORDER BY event.received_at, event.id
LIMIT @max_rows;

-- name: forget_order_events :one
-- Takes their payloads from events that came longer ago than that, and deletes those that
-- never have an effect; counts both. Nothing of what orders are made of goes. Passes over
-- events that somebody is working on.

-- Reads order_events_to_forget_idx.
-- Not scoped by user: retention serves all.
WITH old AS MATERIALIZED (
    SELECT
        event.id,
        order_event_has_effect(event.type) AS has_effect
    FROM order_events AS event
    WHERE
        (
            event.payload IS NOT NULL
            OR event.raw IS NOT NULL
            OR NOT order_event_has_effect(event.type)
        )
        AND event.received_at < now() - @older_than::interval
    ORDER BY event.received_at, event.id
    LIMIT @max_rows
    FOR UPDATE SKIP LOCKED
),

stripped AS (
    UPDATE order_events
    SET payload = NULL, raw = NULL
    FROM old
    WHERE order_events.id = old.id AND old.has_effect
    RETURNING order_events.id
),

deleted AS (
    DELETE FROM order_events
    USING old
    WHERE order_events.id = old.id AND NOT old.has_effect
    RETURNING order_events.id
)

SELECT
    (SELECT count(*) FROM stripped) AS stripped,
    (SELECT count(*) FROM deleted) AS deleted;

-- name: list_orders_without_digest :many
-- Lists the paid orders whose item is on chain and that have no digest, the oldest first,
-- from after the one given (all from the oldest, if none), as get_order_by_crossmint_order
-- gives each.

-- Reads orders_without_digest_idx.
-- Not scoped by user: the worker serves all.
SELECT
    sqlc.embed(orders),
    sqlc.embed(order_items),
    owner.wallet_address,
    owner.has_sui_private_key
FROM orders
INNER JOIN user_profiles AS owner ON orders.user_id = owner.id
INNER JOIN order_items ON orders.id = order_items.order_id
WHERE
    orders.on_chain
    AND orders.tx_hash IS NULL
    AND orders.status IN ('payment_confirmed', 'in_progress', 'delivered')
    AND (orders.created_at, orders.id) > (
        coalesce(sqlc.narg(after_created_at)::timestamptz, '-infinity'), sqlc.narg(after_id)::uuid
    )
ORDER BY orders.created_at, orders.id
LIMIT @max_rows;

-- name: page_orders :many
-- Lists a user's orders, the newest first, without the first ones, each checkout with its
-- product, and the total of them all. Of one type or status, if given. For pages that are
-- numbered; list_orders does not skip what came before.

-- Reads orders_user_id_created_at_idx.
SELECT
    sqlc.embed(orders),
    sqlc.embed(order_items),
    (
        SELECT count(*) FROM orders AS counted
        WHERE
            counted.user_id = @user_id
            AND (sqlc.narg(type)::order_type IS NULL OR counted.type = sqlc.narg(type)::order_type)
            AND (
                sqlc.narg(status)::order_status IS NULL
                OR counted.status = sqlc.narg(status)::order_status
            )
    ) AS total
FROM orders
LEFT JOIN order_items ON orders.id = order_items.order_id
WHERE
    orders.user_id = @user_id
    AND (sqlc.narg(type)::order_type IS NULL OR orders.type = sqlc.narg(type)::order_type)
    AND (
        sqlc.narg(status)::order_status IS NULL
        OR orders.status = sqlc.narg(status)::order_status
    )
ORDER BY orders.created_at DESC, orders.id DESC
LIMIT @max_rows
OFFSET @skip_rows;

-- name: list_orders :many
-- Lists a user's orders, the newest first, from before the one given (all from the newest,
-- if none), each checkout with its product. Of one type or status, if given.

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
    AND (orders.created_at, orders.id) < (
        coalesce(sqlc.narg(before_created_at)::timestamptz, 'infinity'), sqlc.narg(before_id)::uuid
    )
ORDER BY orders.created_at DESC, orders.id DESC
LIMIT @max_rows;

-- name: list_orders_of_checkouts :many
-- Lists all orders, with their snapshots, of the user's checkouts that made any of the
-- Crossmint orders given.

-- Reads orders_crossmint_order_id_key and orders_user_id_created_at_idx: the orders of one
-- checkout are made by one statement, so they are of the same moment.
SELECT
    sqlc.embed(orders),
    sqlc.embed(order_items)
FROM orders
INNER JOIN order_items ON orders.id = order_items.order_id
WHERE
    orders.user_id = @user_id
    AND (orders.created_at, orders.checkout_id) IN (
        SELECT
            made.created_at,
            made.checkout_id
        FROM orders AS made
        WHERE
            made.user_id = @user_id
            AND made.crossmint_order_id = ANY(@crossmint_order_ids::text [])
    )
ORDER BY orders.id;

-- name: list_items_paid_twice :many
-- Lists the paid orders whose money came late, for something that other paid orders, also
-- given, had been placed for meanwhile: it is owed back. Either they hold the same item,
-- or the same product, size and colour was added and bought again while the order was
-- cancelled. Of one user, if given, the oldest first, from after the one given (all from
-- the oldest, if none).

-- Reads orders_paid_late_idx; of the others, by order_items_cart_item_id_idx and
-- orders_user_id_created_at_idx, those of the same item and those placed before the order
-- was paid.
-- Scoped by user where one is given; without, it is for the worker that serves all.
SELECT
    sqlc.embed(orders),
    sqlc.embed(order_items),
    others.order_ids AS other_order_ids
FROM orders
INNER JOIN order_items ON orders.id = order_items.order_id
CROSS JOIN LATERAL (
    SELECT ARRAY(
        SELECT other.id
        FROM (
            SELECT same.order_id
            FROM order_items AS same
            WHERE same.cart_item_id = order_items.cart_item_id
            UNION
            SELECT placed.id
            FROM orders AS placed
            WHERE
                placed.user_id = orders.user_id
                AND placed.created_at > orders.created_at
                AND placed.created_at < (
                    SELECT max(event.applied_at)
                    FROM order_events AS event
                    WHERE
                        (
                            event.crossmint_order_id = orders.crossmint_order_id
                            OR event.order_id = orders.id
                        )
                        AND event.status_before = 'cancelled'
                )
        ) AS candidate
        INNER JOIN orders AS other ON candidate.order_id = other.id
        INNER JOIN order_items AS other_item ON other.id = other_item.order_id
        WHERE
            other.user_id = orders.user_id
            AND other.id <> orders.id
            AND other.status IN ('payment_confirmed', 'in_progress', 'delivered')
            AND CASE
                -- Of two that both came late the elder is told.
                WHEN other_item.cart_item_id = order_items.cart_item_id
                    THEN NOT other.paid_late
                        OR (orders.created_at, orders.id) < (other.created_at, other.id)
                WHEN
                    other_item.product_id = order_items.product_id
                    AND other_item.size IS NOT DISTINCT FROM order_items.size
                    AND other_item.color IS NOT DISTINCT FROM order_items.color
                    AND other.created_at > orders.created_at
                    -- It was cancelled when the other one was placed: the next event says so.
                    THEN (
                        SELECT event.status_before
                        FROM order_events AS event
                        WHERE
                            (
                                event.crossmint_order_id = orders.crossmint_order_id
                                OR event.order_id = orders.id
                            )
                            AND event.applied_at > other.created_at
                        ORDER BY event.applied_at, event.received_at, event.id COLLATE "C"
                        LIMIT 1
                    ) = 'cancelled'
            END
        ORDER BY other.created_at, other.id
    ) AS order_ids
) AS others
WHERE
    orders.paid_late
    AND orders.status IN ('payment_confirmed', 'in_progress', 'delivered')
    AND cardinality(others.order_ids) > 0
    AND (sqlc.narg(user_id)::uuid IS NULL OR orders.user_id = sqlc.narg(user_id)::uuid)
    AND (orders.created_at, orders.id) > (
        coalesce(sqlc.narg(after_created_at)::timestamptz, '-infinity'), sqlc.narg(after_id)::uuid
    )
ORDER BY orders.created_at, orders.id
LIMIT @max_rows;

-- name: list_payments_that_differ :many
-- Lists the orders that were paid less, or more, than was quoted, the oldest first, from
-- after the one given (all from the oldest, if none).

-- Reads orders_payment_differs_idx.
-- Not scoped by user: the worker serves all.
SELECT *
FROM orders
WHERE
    orders.quoted_usdc <> orders.received_usdc
    AND (orders.created_at, orders.id) > (
        coalesce(sqlc.narg(after_created_at)::timestamptz, '-infinity'), sqlc.narg(after_id)::uuid
    )
ORDER BY orders.created_at, orders.id
LIMIT @max_rows;

-- name: list_checkouts_to_give_up :many
-- Lists the checkouts that have been awaiting approval for longer than that, the oldest
-- first, from after the one given (all from the oldest, if none): those whose item is
-- known, and whose payment the chain has not seen. Locks nothing: whoever gives them up
-- looks again under the locks.

-- Reads orders_awaiting_approval_idx.
-- Not scoped by user: the worker serves all.
SELECT
    orders.id,
    orders.created_at
FROM orders
INNER JOIN order_items ON orders.id = order_items.order_id
WHERE
    orders.type = 'checkout'
    AND orders.status = 'awaiting_approval'
    AND orders.tx_hash IS NULL
    AND orders.created_at < now() - @older_than::interval
    AND NOT EXISTS (
        SELECT FROM chain_events AS event
        WHERE event.object_id = order_items.on_chain_object_id AND event.type = 'checked_out'
    )
    AND (orders.created_at, orders.id) > (
        coalesce(sqlc.narg(after_created_at)::timestamptz, '-infinity'), sqlc.narg(after_id)::uuid
    )
ORDER BY orders.created_at, orders.id
LIMIT @max_rows;

-- name: lock_owners_of_orders :many
-- Locks the users of orders, in the order of their ids.

-- Not scoped by user: the worker serves all.
SELECT users.id
FROM users
WHERE
    users.id IN (
        SELECT orders.user_id FROM orders WHERE orders.id = ANY(@order_ids::uuid [])
    )
ORDER BY users.id
FOR NO KEY UPDATE;

-- name: insert_givings_up :many
-- Keeps that checkouts were given up, once each, and returns which: those that may be, by
-- the rules of list_checkouts_to_give_up, now that they are locked.

-- Not scoped by user: called with orders whose users are locked.
WITH due AS (
    SELECT orders.id
    FROM orders
    INNER JOIN order_items ON orders.id = order_items.order_id
    WHERE
        orders.id = ANY(@order_ids::uuid [])
        AND orders.type = 'checkout'
        AND orders.status = 'awaiting_approval'
        AND orders.tx_hash IS NULL
        AND NOT EXISTS (
            SELECT FROM chain_events AS event
            WHERE event.object_id = order_items.on_chain_object_id AND event.type = 'checked_out'
        )
)

INSERT INTO order_events (id, order_id, type)
SELECT
    'store.given_up:' || due.id,
    due.id,
    'store.given_up'
FROM due
ON CONFLICT (id) DO NOTHING
RETURNING order_id;

-- name: list_orders_with_item_in_cart :many
-- Lists which of these orders have their item in the cart.

-- Not scoped by user: called with orders whose users are locked.
SELECT order_items.order_id
FROM order_items
INNER JOIN cart_items ON order_items.cart_item_id = cart_items.id
WHERE
    order_items.order_id = ANY(@order_ids::uuid [])
    AND cart_items.deleted_at IS NULL
ORDER BY order_items.order_id;

-- name: attach_crossmint_order :one
-- Names the Crossmint order of a checkout that had none, and its amount if known. The
-- same again returns the order; one that has another Crossmint order returns nothing.
-- Needs the locks of the Crossmint order and the user.
UPDATE orders
SET
    crossmint_order_id = @crossmint_order_id::text,
    amount_usdc = coalesce(sqlc.narg(amount_usdc), orders.amount_usdc),
    quoted_usdc = coalesce(sqlc.narg(amount_usdc), orders.quoted_usdc)
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

-- name: attach_transaction_by_crossmint_order :one
-- Records the Sui digest that paid for the checkout of a Crossmint order, once: the same
-- again returns the order. Returns nothing if it has another digest, or the digest is
-- another order's, of a deleted user too, or there is no such checkout. Needs no lock: the
-- row itself decides, and of two orders at once orders_tx_hash_key.

-- Not scoped by user: Crossmint, or the chain, names the order only.
UPDATE orders
SET tx_hash = @tx_hash::text
WHERE
    orders.crossmint_order_id = @crossmint_order_id::text
    AND orders.type = 'checkout'
    AND (orders.tx_hash IS NULL OR orders.tx_hash = @tx_hash::text)
    AND NOT EXISTS (
        SELECT FROM orders AS other
        WHERE other.tx_hash = @tx_hash::text AND other.id <> orders.id
    )
    AND NOT EXISTS (
        SELECT FROM retired_orders WHERE retired_orders.tx_hash = @tx_hash::text
    )
RETURNING *;
