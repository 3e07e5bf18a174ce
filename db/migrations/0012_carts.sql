-- migrate:up

-- An absent size or colour is NULL and nothing else: '' beside it would be a variant of
-- its own. Of live items that become one variant the newest stays in the cart.
UPDATE cart_items
SET deleted_at = now()
FROM (
    SELECT
        cart_items.id,
        row_number() OVER (
            PARTITION BY
                cart_items.user_id,
                cart_items.product_id,
                nullif(cart_items.size, ''),
                nullif(cart_items.color, '')
            ORDER BY cart_items.created_at DESC, cart_items.id DESC
        ) AS place
    FROM cart_items
    WHERE cart_items.deleted_at IS NULL
) AS ranked
WHERE cart_items.id = ranked.id AND ranked.place > 1;

UPDATE cart_items
SET size = nullif(size, ''), color = nullif(color, '')
WHERE size = '' OR color = '';

UPDATE order_items
SET size = nullif(size, ''), color = nullif(color, '')
WHERE size = '' OR color = '';

ALTER TABLE cart_items
ADD CONSTRAINT cart_items_variant_has_no_empty_text CHECK (size <> '' AND color <> '') NOT VALID;
ALTER TABLE order_items
ADD CONSTRAINT order_items_variant_has_no_empty_text CHECK (size <> '' AND color <> '') NOT VALID;

COMMENT ON CONSTRAINT cart_items_variant_has_no_empty_text ON cart_items
IS 'An absent size or colour is NULL: an empty text would be another variant.';
COMMENT ON CONSTRAINT order_items_variant_has_no_empty_text ON order_items
IS 'An absent size or colour is NULL, as in the cart.';
COMMENT ON COLUMN cart_items.size IS 'NULL if the product has none.';
COMMENT ON COLUMN cart_items.color IS 'NULL if the product has none.';

-- migrate:down

-- The empty texts do not come back: nobody can tell which rows had them.
COMMENT ON COLUMN cart_items.color IS NULL;
COMMENT ON COLUMN cart_items.size IS NULL;
ALTER TABLE order_items DROP CONSTRAINT order_items_variant_has_no_empty_text;
ALTER TABLE cart_items DROP CONSTRAINT cart_items_variant_has_no_empty_text;
