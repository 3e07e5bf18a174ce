-- name: get_set_aside_chain_event :one
-- Returns an event that was set aside.

-- Not scoped by user: for a worker, as the list.
SELECT * FROM set_aside_chain_events WHERE id = @id;

-- name: drop_set_aside_chain_events :execrows
-- Forgets events that were set aside, and tells how many of these were.

-- Not scoped by user: for a worker, as the list.
DELETE FROM set_aside_chain_events WHERE id = ANY(@ids::uuid []);

-- name: count_items_on_chain :one
-- Counts what the contract holds of a user's: in the cart, waiting, or ordered until its
-- OrderCreated is here. The contract holds at most 10.

-- Reads cart_items_held_by_contract_idx.
SELECT count(*) FROM cart_items
WHERE user_id = @user_id AND on_chain_object_id IS NOT NULL AND ended_at IS NULL;
