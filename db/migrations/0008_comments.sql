-- migrate:up

-- What each index and unique constraint is for, where the catalog's readers find it.
COMMENT ON INDEX users_email_idx IS 'Finds users by e-mail address.';
COMMENT ON INDEX users_wallet_address_idx IS 'Finds the users of a Sui wallet.';
COMMENT ON CONSTRAINT users_crossmint_user_id_key ON users IS 'One user for each Crossmint identity.';
COMMENT ON INDEX chat_sessions_user_id_created_at_idx IS 'A user''s sessions by creation, newest first; serves the foreign key.';
COMMENT ON INDEX chat_sessions_user_id_updated_at_idx IS 'A user''s sessions by last change, newest first.';
COMMENT ON CONSTRAINT chat_messages_session_id_msg_id_key ON chat_messages IS 'Saving a message again updates it.';
COMMENT ON INDEX chat_messages_session_id_position_key IS 'Two messages never share a place in their session; serves paging by position.';
COMMENT ON INDEX cart_items_active_variant_key IS 'Prevents duplicates in the active cart, an absent size or colour included, and lets an item be added again.';
COMMENT ON INDEX cart_items_user_id_created_at_idx IS 'A user''s items, oldest first; serves the foreign key.';
COMMENT ON CONSTRAINT cart_items_on_chain_object_id_key ON cart_items IS 'One item for each Sui object.';
COMMENT ON INDEX orders_user_id_created_at_idx IS 'A user''s orders, newest first; serves the foreign key.';
COMMENT ON CONSTRAINT orders_crossmint_order_id_key ON orders IS 'One order for each of Crossmint''s.';
COMMENT ON CONSTRAINT orders_tx_hash_key ON orders IS 'One transaction pays once, whoever claims it.';
COMMENT ON CONSTRAINT order_items_order_id_key ON order_items IS 'One snapshot for each order.';
COMMENT ON INDEX order_items_cart_item_id_idx IS 'The orders that hold a cart item; serves the foreign key.';
COMMENT ON INDEX order_events_crossmint_order_id_idx IS 'The events of a Crossmint order.';
COMMENT ON INDEX order_events_order_id_idx IS 'The events of our own for an order; serves the foreign key.';
COMMENT ON CONSTRAINT retired_orders_crossmint_order_id_key ON retired_orders IS 'Finds late events of retired orders.';
COMMENT ON CONSTRAINT retired_orders_tx_hash_key ON retired_orders IS 'No transaction pays again for somebody else.';
COMMENT ON INDEX chain_events_wallet_address_idx IS 'What was added to the cart of a wallet.';
COMMENT ON INDEX chain_events_object_id_idx IS 'What happened to an object.';

-- migrate:down

COMMENT ON INDEX users_email_idx IS NULL;
COMMENT ON INDEX users_wallet_address_idx IS NULL;
COMMENT ON CONSTRAINT users_crossmint_user_id_key ON users IS NULL;
COMMENT ON INDEX chat_sessions_user_id_created_at_idx IS NULL;
COMMENT ON INDEX chat_sessions_user_id_updated_at_idx IS NULL;
COMMENT ON CONSTRAINT chat_messages_session_id_msg_id_key ON chat_messages IS NULL;
COMMENT ON INDEX chat_messages_session_id_position_key IS NULL;
COMMENT ON INDEX cart_items_active_variant_key IS NULL;
COMMENT ON INDEX cart_items_user_id_created_at_idx IS NULL;
COMMENT ON CONSTRAINT cart_items_on_chain_object_id_key ON cart_items IS NULL;
COMMENT ON INDEX orders_user_id_created_at_idx IS NULL;
COMMENT ON CONSTRAINT orders_crossmint_order_id_key ON orders IS NULL;
COMMENT ON CONSTRAINT orders_tx_hash_key ON orders IS NULL;
COMMENT ON CONSTRAINT order_items_order_id_key ON order_items IS NULL;
COMMENT ON INDEX order_items_cart_item_id_idx IS NULL;
COMMENT ON INDEX order_events_crossmint_order_id_idx IS NULL;
COMMENT ON INDEX order_events_order_id_idx IS NULL;
COMMENT ON CONSTRAINT retired_orders_crossmint_order_id_key ON retired_orders IS NULL;
COMMENT ON CONSTRAINT retired_orders_tx_hash_key ON retired_orders IS NULL;
COMMENT ON INDEX chain_events_wallet_address_idx IS NULL;
COMMENT ON INDEX chain_events_object_id_idx IS NULL;
