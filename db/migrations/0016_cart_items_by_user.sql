-- migrate:up

-- Of a million rows it holds writers of carts up for about a second; CONCURRENTLY would
-- take two files, between which carts have both indexes, or none.
-- squawk-ignore-file require-concurrent-index-creation, require-concurrent-index-deletion

-- With the index on (user_id, created_at, id) a cart was at times listed in its order: all
-- that was ever in it was read, for the ten items that are. This one gives no order, so
-- that cart_items_active_variant_key is read, and is an eighth as large.
CREATE INDEX cart_items_user_id_idx ON cart_items (user_id);
COMMENT ON INDEX cart_items_user_id_idx IS 'All that was ever in a user''s cart; serves the foreign key.';
DROP INDEX cart_items_user_id_created_at_idx;

-- migrate:down

CREATE INDEX cart_items_user_id_created_at_idx ON cart_items (user_id, created_at, id);
COMMENT ON INDEX cart_items_user_id_created_at_idx IS 'A user''s items, oldest first; serves the foreign key.';
DROP INDEX cart_items_user_id_idx;
