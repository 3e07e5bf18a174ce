-- migrate:up

CREATE DOMAIN order_type AS varchar(20)
    CONSTRAINT order_type_is_known CHECK (VALUE IN ('checkout', 'deposit'));
COMMENT ON DOMAIN order_type IS 'What an order pays for.';

CREATE DOMAIN order_status AS varchar(50)
    CONSTRAINT order_status_is_known CHECK (
        VALUE IN ('awaiting_approval', 'payment_confirmed', 'in_progress', 'delivered', 'cancelled')
    );
COMMENT ON DOMAIN order_status IS 'How far an order is.';

-- NaN and Infinity pass "> 0", hence the upper bound; both compare as not below it.
CREATE DOMAIN usdc_amount AS numeric
    CONSTRAINT usdc_amount_is_positive CHECK (VALUE > 0)
    CONSTRAINT usdc_amount_is_finite CHECK (VALUE < 'Infinity')
    CONSTRAINT usdc_amount_has_6_decimals CHECK (VALUE = round(VALUE, 6));
COMMENT ON DOMAIN usdc_amount IS 'Money in USDC, with at most 6 decimals.';

CREATE DOMAIN transaction_hash AS varchar(255)
    CONSTRAINT transaction_hash_is_of_a_chain
    CHECK (VALUE ~ '^([1-9A-HJ-NP-Za-km-z]{32,44}|0x[0-9a-f]{64})$');
COMMENT ON DOMAIN transaction_hash IS
    'A Sui digest (base58) or an EVM transaction hash (0x and 64 lower-case hex digits).';

CREATE TABLE orders (
    id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT orders_pkey PRIMARY KEY,
    user_id uuid NOT NULL
        CONSTRAINT orders_user_id_fkey REFERENCES users (id) ON DELETE CASCADE,
    type order_type NOT NULL,
    crossmint_order_id crossmint_id CONSTRAINT orders_crossmint_order_id_key UNIQUE,
    status order_status NOT NULL DEFAULT 'awaiting_approval',
    amount_usdc usdc_amount,
    -- One transaction pays once: a digest is recorded, and a deposit claimed, once for all users.
    tx_hash transaction_hash CONSTRAINT orders_tx_hash_key UNIQUE,
    payment_hash varchar(255),
    created_at timestamptz NOT NULL DEFAULT now(),
    checkout_id uuid,
    CONSTRAINT orders_checkout_id_is_a_checkouts CHECK (type = 'checkout' OR checkout_id IS NULL),
    CONSTRAINT orders_deposit_has_tx_hash CHECK (type <> 'deposit' OR tx_hash IS NOT NULL)
);
COMMENT ON TABLE orders IS 'Payment orders: checkouts and deposits.';
COMMENT ON COLUMN orders.status IS 'Of a checkout: what order_status_of() says of its events.';
COMMENT ON COLUMN orders.amount_usdc IS 'The total charge in USDC.';
COMMENT ON COLUMN orders.tx_hash IS 'The Sui digest of an on-chain checkout, or the deposit''s transaction.';
COMMENT ON COLUMN orders.payment_hash IS 'The payment''s transaction, from Crossmint''s webhook.';
COMMENT ON COLUMN orders.checkout_id IS 'Shared by the orders of one checkout, so that a repeated call finds them all.';

-- A user's orders, newest first; it also serves the foreign key.
CREATE INDEX orders_user_id_created_at_idx ON orders (user_id, created_at, id);

CREATE TABLE order_items (
    id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT order_items_pkey PRIMARY KEY,
    -- One snapshot an order.
    order_id uuid NOT NULL
        CONSTRAINT order_items_order_id_key UNIQUE
        CONSTRAINT order_items_order_id_fkey REFERENCES orders (id) ON DELETE CASCADE,
    cart_item_id uuid
        CONSTRAINT order_items_cart_item_id_fkey REFERENCES cart_items (id) ON DELETE SET NULL,
    product_id varchar(255) NOT NULL,
    product_name varchar(500) NOT NULL,
    price usd_cents NOT NULL,
    image varchar(2048),
    product_url varchar(2048),
    size varchar(50),
    color varchar(50),
    retailer varchar(255),
    on_chain_object_id sui_object_id,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE order_items IS 'The product of an order, as it was at checkout.';
COMMENT ON COLUMN order_items.price IS 'In USD cents, at the time of checkout.';

-- The orders that hold a cart item; it also serves the foreign key.
CREATE INDEX order_items_cart_item_id_idx ON order_items (cart_item_id);

CREATE TABLE order_events (
    id varchar(255) NOT NULL CONSTRAINT order_events_pkey PRIMARY KEY,
    crossmint_order_id crossmint_id,
    order_id uuid
        CONSTRAINT order_events_order_id_fkey REFERENCES orders (id) ON DELETE CASCADE,
    type varchar(100) NOT NULL,
    payment_hash varchar(255),
    amount_usdc usdc_amount,
    payload jsonb,
    received_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT order_events_concerns_one_order CHECK (num_nonnulls(crossmint_order_id, order_id) = 1)
);
COMMENT ON TABLE order_events IS
    'What happened to an order, each event once, so that its status is the same however often and in whichever order events arrive.';
COMMENT ON COLUMN order_events.id IS 'Of a Crossmint event its svix-id.';
COMMENT ON COLUMN order_events.crossmint_order_id IS
    'The order of a Crossmint event; no foreign key, as the event may come before the order.';
COMMENT ON COLUMN order_events.order_id IS 'The order of an event of our own.';
COMMENT ON COLUMN order_events.payload IS 'A Crossmint event as it came.';

CREATE INDEX order_events_crossmint_order_id_idx ON order_events (crossmint_order_id);
CREATE INDEX order_events_order_id_idx ON order_events (order_id);

-- The status rule: the first line that holds for the types of an order's events. Money
-- that moved wins over an earlier failure or cancellation.
CREATE FUNCTION order_status_of(event_types text []) RETURNS order_status
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN 'orders.delivery.completed' = ANY (event_types) THEN 'delivered'
        WHEN 'orders.delivery.failed' = ANY (event_types) THEN 'cancelled'
        WHEN 'orders.delivery.initiated' = ANY (event_types) THEN 'in_progress'
        WHEN 'orders.payment.succeeded' = ANY (event_types) THEN 'payment_confirmed'
        WHEN 'orders.payment.failed' = ANY (event_types) THEN 'cancelled'
        WHEN 'user.cancelled' = ANY (event_types) THEN 'cancelled'
        ELSE 'awaiting_approval'
    END::order_status
$$;

-- migrate:down

DROP FUNCTION order_status_of(text []);
DROP TABLE order_events, order_items, orders;
DROP DOMAIN transaction_hash, usdc_amount, order_status, order_type;
