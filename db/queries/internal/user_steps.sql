-- name: create_user :one
-- @row UserProfile
-- Creates the user of a Crossmint identity; returns nothing, and writes nothing, if there
-- is one. Safe to call twice at once: the unique identity decides. The store's create_user
-- returns the user in both cases.

-- Not scoped by user: the identity provider has said who it is.
INSERT INTO users (crossmint_user_id, email)
VALUES (@crossmint_user_id, sqlc.narg(email))
ON CONFLICT (crossmint_user_id) DO NOTHING
RETURNING
    id, crossmint_user_id, email, wallet_address, crossmint_wallet_id, wallet_status,
    wallet_status_since, onboarding_step, display_name, first_name, last_name,
    street, apt, city, state, zip, country, tops_size, bottoms_size, footwear_size,
    evm_address, created_at, updated_at,
    sui_private_key_encrypted IS NOT NULL AS has_sui_private_key;

-- name: lock_user :one
-- Locks a user against whatever else changes the user's cart, orders or existence.
SELECT id FROM users WHERE id = @id FOR NO KEY UPDATE;

-- name: provision_wallet :execrows
-- Makes a pending wallet active, with all that belongs to it, addresses in their normal
-- form; changes nothing if it is not pending. An evm_address or token that is not given
-- stays as it is. Called by the store, which encrypts.
UPDATE users
SET
    wallet_status = 'active',
    wallet_address = @wallet_address::text,
    crossmint_wallet_id = sqlc.narg(crossmint_wallet_id),
    evm_address = coalesce(sqlc.narg(evm_address), evm_address),
    sui_private_key_encrypted = coalesce(sqlc.narg(token), sui_private_key_encrypted)
WHERE id = @id AND wallet_status = 'pending';

-- name: set_sui_private_key :execrows
-- Keeps an encrypted key; changes nothing if the wallet is active and has one. Called by
-- the store, which encrypts.
UPDATE users
SET sui_private_key_encrypted = @token::text
WHERE id = @id AND (wallet_status <> 'active' OR sui_private_key_encrypted IS NULL);

-- name: get_sui_private_key :one
-- Returns the user's encrypted key, if there is one; of the queries about one user the only
-- one that does. Called by the store, which decrypts.
SELECT sui_private_key_encrypted FROM users WHERE id = @id;

-- name: list_sui_private_keys :many
-- Lists users who have an encrypted key, by id, after the id given.

-- Not scoped by user: rotation and check visit all.
SELECT
    id,
    coalesce(sui_private_key_encrypted, '') AS token
FROM users
WHERE sui_private_key_encrypted IS NOT NULL AND id > @after
ORDER BY id
LIMIT @max_rows;

-- name: replace_sui_private_keys :execrows
-- Puts new tokens, matched by place, where the old ones still are: what somebody else has
-- set meanwhile stays.

-- Not scoped by user: rotation replaces those of many.
UPDATE users
SET sui_private_key_encrypted = swap.new_token
FROM ROWS FROM (
    unnest(@ids::uuid []), unnest(@old_tokens::text []), unnest(@new_tokens::text [])
) AS swap (id, old_token, new_token)
WHERE users.id = swap.id AND users.sui_private_key_encrypted = swap.old_token;

-- name: list_open_orders :many
-- Lists the user's orders that are neither delivered nor cancelled, the oldest first.
SELECT id
FROM orders
WHERE user_id = @user_id AND status NOT IN ('delivered', 'cancelled')
ORDER BY created_at, id
LIMIT @max_rows;

-- name: erase_orders :exec
-- Deletes a user's orders and their events, those of Crossmint included, which do not refer
-- to them; keeps what the orders have used up. Asks nothing: it is called by the store's
-- delete_user, under the user's lock. Events that are on their way are not seen here: their
-- transactions wait for that lock, find no order, and then call strip_retired_event.
WITH retired AS (
    INSERT INTO retired_orders (id, crossmint_order_id, tx_hash)
    SELECT orders.id, orders.crossmint_order_id, orders.tx_hash
    FROM orders
    WHERE
        orders.user_id = @user_id
        AND num_nonnulls(orders.crossmint_order_id, orders.tx_hash) > 0
    RETURNING crossmint_order_id
),

forgotten AS (
    DELETE FROM order_events
    USING retired
    WHERE order_events.crossmint_order_id = retired.crossmint_order_id
)

DELETE FROM orders WHERE orders.user_id = @user_id;

-- name: erase_user :exec
-- Deletes a user and all rows that refer to the user. Called by the store's delete_user,
-- after erase_orders: cart items would else be taken out of each snapshot first.
DELETE FROM users WHERE id = @id;
