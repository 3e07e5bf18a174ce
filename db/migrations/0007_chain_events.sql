-- migrate:up

CREATE DOMAIN chain_event_type AS varchar(20)
    CONSTRAINT chain_event_type_is_known CHECK (VALUE IN ('added', 'removed', 'checked_out'));
COMMENT ON DOMAIN chain_event_type IS 'What happened to a cart object on Sui.';

CREATE TABLE chain_events (
    tx_digest sui_digest NOT NULL,
    event_sequence bigint NOT NULL
        CONSTRAINT chain_events_sequence_is_not_negative CHECK (event_sequence >= 0),
    type chain_event_type NOT NULL,
    object_id sui_object_id NOT NULL,
    wallet_address sui_address NOT NULL,
    occurred_at timestamptz NOT NULL,
    product_id varchar(255),
    product_name varchar(500),
    price usd_cents,
    image varchar(2048),
    product_url varchar(2048),
    size varchar(50),
    color varchar(50),
    retailer varchar(255),
    recorded_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT chain_events_pkey PRIMARY KEY (tx_digest, event_sequence),
    CONSTRAINT chain_events_added_names_product
        CHECK (type <> 'added' OR num_nulls(product_id, product_name, price) = 0)
);
COMMENT ON TABLE chain_events IS
    'What happened to cart objects on Sui, each event once, so that carts are the same however often and in whichever order events arrive.';
COMMENT ON COLUMN chain_events.event_sequence IS 'The event''s number in its transaction.';
COMMENT ON COLUMN chain_events.wallet_address IS
    'Whose cart it is; no foreign key, as the event may come before the user, or of a stranger.';
COMMENT ON COLUMN chain_events.occurred_at IS 'The chain''s time.';
COMMENT ON COLUMN chain_events.product_id IS 'Set in `added`, with the other details.';
COMMENT ON COLUMN chain_events.price IS 'In USD cents.';

-- What was added to the cart of a wallet, and what happened to an object.
CREATE INDEX chain_events_wallet_address_idx ON chain_events (wallet_address)
    WHERE type = 'added';
CREATE INDEX chain_events_object_id_idx ON chain_events (object_id);

CREATE TABLE chain_cursor (
    id boolean NOT NULL DEFAULT TRUE
        CONSTRAINT chain_cursor_pkey PRIMARY KEY
        CONSTRAINT chain_cursor_is_one_row CHECK (id),
    checkpoint bigint NOT NULL
        CONSTRAINT chain_cursor_is_not_negative CHECK (checkpoint >= 0)
);
COMMENT ON TABLE chain_cursor IS
    'How far the events of Sui are recorded, in one row: it moves with them or not at all.';
COMMENT ON COLUMN chain_cursor.checkpoint IS
    'The last Sui checkpoint of which all events are recorded.';

-- migrate:down

DROP TABLE chain_cursor, chain_events;
DROP DOMAIN chain_event_type;
