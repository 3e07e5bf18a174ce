-- migrate:up

CREATE DOMAIN usd_cents AS integer
    CONSTRAINT usd_cents_is_not_negative CHECK (VALUE >= 0);
COMMENT ON DOMAIN usd_cents IS 'Money in USD cents.';

CREATE DOMAIN sui_object_id AS varchar(255)
    CONSTRAINT sui_object_id_is_normalised CHECK (VALUE ~ '^0x[0-9a-f]{64}$');
COMMENT ON DOMAIN sui_object_id IS 'A Sui object id: 0x and 64 lower-case hex digits.';

CREATE DOMAIN sui_digest AS varchar(255)
    CONSTRAINT sui_digest_is_base58 CHECK (VALUE ~ '^[1-9A-HJ-NP-Za-km-z]{32,44}$');
COMMENT ON DOMAIN sui_digest IS 'A Sui transaction digest: base58 of 32 bytes, case-sensitive.';

CREATE TABLE cart_items (
    id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT cart_items_pkey PRIMARY KEY,
    user_id uuid NOT NULL
        CONSTRAINT cart_items_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    product_id varchar(255) NOT NULL,
    product_name varchar(500) NOT NULL,
    price usd_cents NOT NULL,
    image varchar(2048),
    product_url varchar(2048),
    size varchar(50),
    color varchar(50),
    retailer varchar(255),
    tx_digest sui_digest,
    on_chain_object_id sui_object_id
        CONSTRAINT cart_items_on_chain_object_id_key UNIQUE,
    deleted_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE cart_items IS 'Items in carts, and those that were in one.';
COMMENT ON COLUMN cart_items.product_id IS 'The retailer''s product id.';
COMMENT ON COLUMN cart_items.price IS 'In USD cents.';
COMMENT ON COLUMN cart_items.tx_digest IS 'The Sui transaction that added the item (onchain mode).';
COMMENT ON COLUMN cart_items.on_chain_object_id IS 'The Sui object of the item (onchain mode).';
COMMENT ON COLUMN cart_items.deleted_at IS 'Soft delete: NULL while the item is in the cart.';

-- Prevents duplicates in the active cart, an absent size or colour included, and lets
-- an item be added again once the earlier one was removed or checked out.
CREATE UNIQUE INDEX cart_items_active_variant_key
    ON cart_items (user_id, product_id, size, color) NULLS NOT DISTINCT
    WHERE deleted_at IS NULL;

-- Serves the foreign key, for which the partial index above is of no use.
CREATE INDEX cart_items_user_id_created_at_idx ON cart_items (user_id, created_at, id);

-- migrate:down

DROP TABLE cart_items;
DROP DOMAIN sui_digest, sui_object_id, usd_cents;
