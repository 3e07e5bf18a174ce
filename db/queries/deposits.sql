-- name: claim_deposit :one
-- Claims a transaction as the user's deposit, once for all users. The same claim again
-- returns the same deposit; of a transaction that is taken, by an order of a deleted
-- user too, it returns nothing. A claim that waits for that very deletion is refused by
-- orders_tx_hash_key.
WITH owner AS (
    SELECT users.id FROM users
    WHERE
        users.id = @user_id
        AND NOT EXISTS (
            SELECT FROM retired_orders WHERE retired_orders.tx_hash = @tx_hash::text
        )
    FOR NO KEY UPDATE
)

INSERT INTO orders (user_id, type, tx_hash)
SELECT
    owner.id,
    'deposit',
    @tx_hash::text
FROM owner
ON CONFLICT (tx_hash) DO UPDATE
SET tx_hash = excluded.tx_hash
WHERE orders.user_id = excluded.user_id AND orders.type = 'deposit'
RETURNING *;

-- name: confirm_deposit :one
-- Notes that a claimed transaction was seen on chain, with its amount in USDC. Returns
-- nothing, unless the deposit was awaiting that. Needs no lock on the user, like the
-- statements below: the row itself decides.

-- Not scoped by user: the chain names the transaction only.
UPDATE orders
SET status = 'payment_confirmed', amount_usdc = @amount_usdc::numeric
WHERE
    tx_hash = @tx_hash::text
    AND type = 'deposit'
    AND status = 'awaiting_approval'
    AND settled_at IS NULL
RETURNING *;

-- name: get_deposit :one
-- Returns the user's deposit of a transaction.
SELECT * FROM orders
WHERE tx_hash = @tx_hash::text AND user_id = @user_id AND type = 'deposit';

-- name: credit_deposit :one
-- Notes that a confirmed deposit was credited. Returns it to one caller only, who credits
-- it in the same transaction; never one that is settled.

-- Not scoped by user: the chain names the transaction only.
UPDATE orders
SET status = 'delivered', settled_at = now()
WHERE
    tx_hash = @tx_hash::text
    AND type = 'deposit'
    AND status = 'payment_confirmed'
    AND settled_at IS NULL
RETURNING *;

-- name: fail_deposit :one
-- Notes that a deposit that was not credited failed; its transaction stays used.

-- Not scoped by user: the chain names the transaction only.
UPDATE orders
SET status = 'cancelled'
WHERE
    tx_hash = @tx_hash::text
    AND type = 'deposit'
    AND status IN ('awaiting_approval', 'payment_confirmed')
    AND settled_at IS NULL
RETURNING *;

-- name: list_deposits_to_check :many
-- Lists the deposits that wait for the chain, or to be credited, the oldest first, for the
-- worker that looks them up there; none that is settled.

-- Reads orders_open_deposit_idx.
-- Not scoped by user: the worker serves all.
SELECT *
FROM orders
WHERE
    type = 'deposit'
    AND settled_at IS NULL
    AND status IN ('awaiting_approval', 'payment_confirmed')
ORDER BY created_at, id
LIMIT @max_rows;
