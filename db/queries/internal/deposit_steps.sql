-- name: insert_verified_deposit :one
-- Records a transaction that was verified on chain as the user's deposit, with its amount
-- in USDC, once for all users: a claim of the same user that waits for the chain becomes
-- it. Of a transaction that is taken, by the same deposit recorded before too, it returns
-- nothing. One that waits for the deletion of the user who has it is refused by
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

INSERT INTO orders (user_id, type, tx_hash, status, amount_usdc)
SELECT
    owner.id,
    'deposit',
    @tx_hash::text,
    'payment_confirmed',
    @amount_usdc::numeric
FROM owner
ON CONFLICT (tx_hash) DO UPDATE
SET status = excluded.status, amount_usdc = excluded.amount_usdc
WHERE
    orders.user_id = excluded.user_id
    AND orders.type = 'deposit'
    AND orders.status = 'awaiting_approval'
    AND orders.settled_at IS NULL
RETURNING *;
