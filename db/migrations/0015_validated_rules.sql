-- migrate:up

-- For the rows from before 0011 and 0012, while everybody writes.
ALTER TABLE cart_items VALIDATE CONSTRAINT cart_items_variant_has_no_empty_text;
ALTER TABLE order_items VALIDATE CONSTRAINT order_items_variant_has_no_empty_text;
ALTER TABLE chat_sessions VALIDATE CONSTRAINT chat_sessions_source_needs_title;
ALTER TABLE chat_messages VALIDATE CONSTRAINT chat_messages_has_metadata_is_true;

-- migrate:down

ALTER TABLE chat_messages DROP CONSTRAINT chat_messages_has_metadata_is_true;
ALTER TABLE chat_messages
    ADD CONSTRAINT chat_messages_has_metadata_is_true CHECK (has_metadata = (metadata IS NOT NULL)) NOT VALID;
COMMENT ON CONSTRAINT chat_messages_has_metadata_is_true ON chat_messages IS
    'Metadata are there if the row says so.';
ALTER TABLE chat_sessions DROP CONSTRAINT chat_sessions_source_needs_title;
ALTER TABLE chat_sessions
    ADD CONSTRAINT chat_sessions_source_needs_title CHECK (title IS NOT NULL OR title_source IS NULL) NOT VALID;
COMMENT ON CONSTRAINT chat_sessions_source_needs_title ON chat_sessions IS
    'What is not there was made by nobody.';

ALTER TABLE order_items DROP CONSTRAINT order_items_variant_has_no_empty_text;
ALTER TABLE order_items
    ADD CONSTRAINT order_items_variant_has_no_empty_text CHECK (size <> '' AND color <> '') NOT VALID;
COMMENT ON CONSTRAINT order_items_variant_has_no_empty_text ON order_items
IS 'An absent size or colour is NULL, as in the cart.';
ALTER TABLE cart_items DROP CONSTRAINT cart_items_variant_has_no_empty_text;
ALTER TABLE cart_items
    ADD CONSTRAINT cart_items_variant_has_no_empty_text CHECK (size <> '' AND color <> '') NOT VALID;
COMMENT ON CONSTRAINT cart_items_variant_has_no_empty_text ON cart_items
IS 'An absent size or colour is NULL: an empty text would be another variant.';
