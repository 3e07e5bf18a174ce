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

-- name: erase_orders :execrows
-- Deletes some of a user's orders and their events, those of Crossmint included, which do
-- not refer to them; keeps what the orders have used up. Tells how many orders these were:
-- less than max_rows, if none is left. Asks nothing: it is called by the store's
-- delete_user, under the user's lock. Events that are on their way are not seen here: their
-- transactions wait for that lock, find no order, and then call strip_retired_event. Locks
-- the orders first: a digest that is just being attached, without the user's lock, is used
-- up as well.

-- Reads orders_user_id_created_at_idx. The events are found by an array: for a join with so
-- many orders the planner would read all events that there are.
WITH portion AS MATERIALIZED (
    SELECT
        orders.id,
        orders.crossmint_order_id,
        orders.tx_hash
    FROM orders
    WHERE orders.user_id = @user_id
    ORDER BY orders.created_at, orders.id
    LIMIT @max_rows
    FOR UPDATE
),

retired AS (
    INSERT INTO retired_orders (id, crossmint_order_id, tx_hash)
    SELECT
        portion.id,
        portion.crossmint_order_id,
        portion.tx_hash
    FROM portion
    WHERE num_nonnulls(portion.crossmint_order_id, portion.tx_hash) > 0
),

forgotten AS (
    DELETE FROM order_events
    WHERE
        order_events.crossmint_order_id = ANY(ARRAY(SELECT portion.crossmint_order_id FROM portion))
)

DELETE FROM orders WHERE orders.id = ANY(ARRAY(SELECT portion.id FROM portion));

-- name: erase_cart_items :execrows
-- Deletes some of what was ever in a user's cart, and tells how many items these were: less
-- than max_rows, if none is left. Comes after erase_orders: the items would else be taken
-- out of each snapshot first.

-- Reads cart_items_user_id_idx.
DELETE FROM cart_items
WHERE
    cart_items.id = ANY(
        ARRAY(
            SELECT portion.id
            FROM cart_items AS portion
            WHERE portion.user_id = @user_id
            LIMIT @max_rows
        )
    );

-- name: erase_chat_sessions :execrows
-- Deletes some of a user's conversations with their messages, and tells how many these were:
-- less than max_rows, if none is left. Locks them first, as a deletion of one of them does
-- before it comes to the messages.

-- Reads chat_sessions_user_id_updated_at_idx, and the messages as erase_orders does events.
WITH portion AS MATERIALIZED (
    SELECT chat_sessions.id
    FROM chat_sessions
    WHERE chat_sessions.user_id = @user_id
    ORDER BY chat_sessions.updated_at, chat_sessions.id
    LIMIT @max_rows
    FOR UPDATE
),

forgotten AS (
    DELETE FROM chat_messages
    WHERE chat_messages.session_id = ANY(ARRAY(SELECT portion.id FROM portion))
)

DELETE FROM chat_sessions
WHERE chat_sessions.id = ANY(ARRAY(SELECT portion.id FROM portion));

-- name: erase_user :exec
-- Deletes a user and all rows that still refer to the user. Called by the store's
-- delete_user, after the portions above: on its own it would take as long as all of them,
-- in one statement.
DELETE FROM users WHERE id = @id;
