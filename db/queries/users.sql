-- name: create_user :one
-- Creates the user of a Crossmint identity, or returns the one that exists, unchanged.
-- Safe to call twice at once: the unique identity decides.
-- Not scoped by user: the identity provider has said who it is.
INSERT INTO users (crossmint_user_id, email)
VALUES (@crossmint_user_id, sqlc.narg(email))
ON CONFLICT (crossmint_user_id) DO UPDATE SET crossmint_user_id = excluded.crossmint_user_id
RETURNING *;

-- name: get_user :one
-- Returns the user with this id.
SELECT * FROM users WHERE id = @id;

-- name: get_user_by_crossmint_user_id :one
-- Returns the user of a Crossmint identity.
-- Not scoped by user: the identity provider has said who it is.
SELECT * FROM users WHERE crossmint_user_id = @crossmint_user_id;

-- name: lock_user :one
-- Locks a user against whatever else changes the user's cart, orders or existence.
SELECT id FROM users WHERE id = @id FOR NO KEY UPDATE;

-- name: set_display_name :one
-- Onboarding step 1. A repeated step changes the name and takes no finished step back.
UPDATE users
SET
    display_name = @display_name::text,
    onboarding_step = greatest(onboarding_step, 1)
WHERE id = @id
RETURNING *;

-- name: set_shipping_address :one
-- Onboarding step 2; returns nothing if step 1 is not finished.
UPDATE users
SET
    first_name = @first_name::text,
    last_name = @last_name::text,
    street = @street::text,
    apt = sqlc.narg(apt),
    city = @city::text,
    state = @state::text,
    zip = @zip::text,
    country = @country::text,
    onboarding_step = greatest(onboarding_step, 2)
WHERE id = @id AND onboarding_step >= 1
RETURNING *;

-- name: set_sizes :one
-- Onboarding step 3; returns nothing if step 2 is not finished.
UPDATE users
SET
    tops_size = @tops_size::text,
    bottoms_size = @bottoms_size::text,
    footwear_size = @footwear_size::text,
    onboarding_step = greatest(onboarding_step, 3)
WHERE id = @id AND onboarding_step >= 2
RETURNING *;

-- name: set_email :one
-- Sets or forgets the address that the identity provider gives.
UPDATE users SET email = sqlc.narg(email) WHERE id = @id RETURNING *;

-- name: begin_wallet :one
-- Makes the wallet pending, for the first time or after a failure; returns nothing if
-- it is pending or active. Of two callers at once one gets the row, and provisions.
UPDATE users
SET wallet_status = 'pending'
WHERE id = @id AND wallet_status IN ('none', 'failed')
RETURNING *;

-- name: activate_wallet :one
-- Makes a pending wallet active, with its addresses in their normal form; returns
-- nothing if it is not pending. An evm_address that is not given stays as it is. Called
-- by the store's activate_wallet, which mirrors what came from the chain before.
UPDATE users
SET
    wallet_status = 'active',
    wallet_address = @wallet_address::text,
    crossmint_wallet_id = sqlc.narg(crossmint_wallet_id),
    evm_address = coalesce(sqlc.narg(evm_address), evm_address)
WHERE id = @id AND wallet_status = 'pending'
RETURNING *;

-- name: fail_wallet :one
-- Makes a pending wallet failed; returns nothing if it is not pending.
UPDATE users
SET wallet_status = 'failed'
WHERE id = @id AND wallet_status = 'pending'
RETURNING *;

-- name: set_evm_address :one
-- Sets the address of the EVM wallet, in its normal form, at any wallet status.
UPDATE users SET evm_address = @evm_address::text WHERE id = @id RETURNING *;

-- name: set_sui_private_key :execrows
-- Keeps an encrypted key in place of any before. Called by the store, which encrypts.
UPDATE users SET sui_private_key_encrypted = @token::text WHERE id = @id;

-- name: list_sui_private_keys :many
-- Lists users who have an encrypted key, by id, after the id given. Not scoped by user:
-- rotation and check visit all.
SELECT
    id,
    coalesce(sui_private_key_encrypted, '') AS token
FROM users
WHERE sui_private_key_encrypted IS NOT NULL AND id > @after
ORDER BY id
LIMIT @max_rows;

-- name: replace_sui_private_keys :execrows
-- Puts new tokens, matched by place, where the old ones still are: what somebody else
-- has set meanwhile stays. Not scoped by user: rotation replaces those of many.
UPDATE users
SET sui_private_key_encrypted = swap.new_token
FROM ROWS FROM (
    unnest(@ids::uuid []), unnest(@old_tokens::text []), unnest(@new_tokens::text [])
) AS swap (id, old_token, new_token)
WHERE users.id = swap.id AND users.sui_private_key_encrypted = swap.old_token;

-- name: lock_orders_of_user :exec
-- Locks the Crossmint ids of a user's orders, as lock_crossmint_orders does.
SELECT pg_advisory_xact_lock(hashtextextended(sorted.crossmint_order_id, 0))
FROM (
    SELECT orders.crossmint_order_id::text AS crossmint_order_id
    FROM orders
    WHERE orders.user_id = @user_id AND orders.crossmint_order_id IS NOT NULL
    ORDER BY orders.crossmint_order_id::text
) AS sorted;

-- name: try_lock_orders_of_user :one
-- Locks the Crossmint ids of a user's orders, those that are locked already included;
-- tells if another transaction has one, and does not wait for it.
SELECT coalesce(
    bool_and(pg_try_advisory_xact_lock(hashtextextended(crossmint_order_id::text, 0))), TRUE
) AS locked
FROM orders
WHERE user_id = @user_id AND crossmint_order_id IS NOT NULL;

-- name: list_open_orders :many
-- Lists the user's orders that are neither delivered nor cancelled, the oldest first.
SELECT id
FROM orders
WHERE user_id = @user_id AND status NOT IN ('delivered', 'cancelled')
ORDER BY created_at, id
LIMIT @max_rows;

-- name: erase_user :exec
-- Deletes a user, all rows that refer to the user, and the Crossmint events of the
-- user's orders, which do not; keeps what the orders have used up. Asks nothing: it is
-- called by the store's delete_user, under the locks of those orders and of the user.
WITH retired AS (
    INSERT INTO retired_orders (id, crossmint_order_id, tx_hash)
    SELECT orders.id, orders.crossmint_order_id, orders.tx_hash
    FROM orders
    WHERE orders.user_id = @id AND num_nonnulls(orders.crossmint_order_id, orders.tx_hash) > 0
    RETURNING crossmint_order_id
),

forgotten AS (
    DELETE FROM order_events
    USING retired
    WHERE order_events.crossmint_order_id = retired.crossmint_order_id
)

DELETE FROM users WHERE users.id = @id;
