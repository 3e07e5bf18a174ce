-- migrate:up
-- squawk-ignore-file ban-drop-constraint, ban-alter-domain-with-add-constraint
-- squawk-ignore-file require-concurrent-index-creation, require-concurrent-index-deletion
-- squawk-ignore-file ban-drop-column, adding-required-field, constraint-missing-not-valid

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', TRUE);

-- The contract names an item by a text that the backend chooses, a UUID; an object's id
-- is as good a name. Each has one form.
ALTER DOMAIN sui_object_id DROP CONSTRAINT sui_object_id_is_normalised;
ALTER DOMAIN sui_object_id ADD CONSTRAINT sui_object_id_is_normalised CHECK (
    VALUE ~ '^(0x[0-9a-f]{64}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$'
);
COMMENT ON DOMAIN sui_object_id IS
    'The name of an item on Sui: a lower-case UUID, or 0x and 64 lower-case hex digits.';

-- What the contract holds is told apart from what it has given away, without a look at
-- events: the mirror's work depends on the one, which is at most 10 items a cart.
ALTER TABLE cart_items ADD COLUMN ended_at timestamptz;
COMMENT ON COLUMN cart_items.ended_at IS
    'When the item left the contract''s cart, by its first CartItemRemoved or OrderCreated (onchain mode): NULL while the contract holds it.';

UPDATE cart_items
SET
    ended_at = coalesce(
        (
            SELECT min(event.occurred_at)
            FROM chain_events AS event
            WHERE event.object_id = cart_items.on_chain_object_id AND event.type <> 'added'
        ),
        CASE
            WHEN
                NOT EXISTS (
                    SELECT FROM chain_events AS event
                    WHERE event.object_id = cart_items.on_chain_object_id AND event.type = 'added'
                )
                THEN cart_items.deleted_at
        END
    )
WHERE cart_items.on_chain_object_id IS NOT NULL AND cart_items.deleted_at IS NOT NULL;

ALTER TABLE cart_items ADD CONSTRAINT cart_items_ended_is_out_of_cart
    CHECK (ended_at IS NULL OR num_nulls(on_chain_object_id, deleted_at) = 0);
COMMENT ON CONSTRAINT cart_items_ended_is_out_of_cart ON cart_items IS
    'Only what is on chain ends there, and what has ended is out of the cart.';

-- An absent size or colour is empty here, so that each column is compared by the index.
CREATE INDEX cart_items_held_by_contract_idx ON cart_items (
    user_id, product_id, coalesce(size, ''), coalesce(color, ''), on_chain_object_id COLLATE "C"
) WHERE on_chain_object_id IS NOT NULL AND ended_at IS NULL;
COMMENT ON INDEX cart_items_held_by_contract_idx IS
    'What the contract holds of a user: how many, and the smallest of a variant.';

-- OrderCreated names Crossmint's order and carries the product. Those that were kept
-- before have neither; read from its beginning, the stream brings both.
ALTER TABLE chain_events
ADD COLUMN crossmint_order_id crossmint_id,
ADD COLUMN time_is_of_receipt boolean NOT NULL DEFAULT FALSE,
ADD CONSTRAINT chain_events_order_names_product CHECK (
    crossmint_order_id IS NULL
    OR (type = 'checked_out' AND num_nulls(product_id, product_name, price) = 0)
);
COMMENT ON COLUMN chain_events.type IS
    'CartItemAdded is added, CartItemRemoved removed, OrderCreated checked_out.';
COMMENT ON COLUMN chain_events.object_id IS 'The contract''s item_id.';
COMMENT ON COLUMN chain_events.wallet_address IS
    'Whose cart it is. No foreign key: several users may have the wallet.';
COMMENT ON COLUMN chain_events.occurred_at IS
    'The chain''s time; where an event came without, our time of receipt.';
COMMENT ON COLUMN chain_events.time_is_of_receipt IS 'Whether the event came without its time.';
COMMENT ON COLUMN chain_events.product_id IS
    'Set in `added` and in `checked_out`, with the other details.';
COMMENT ON COLUMN chain_events.crossmint_order_id IS
    'The order of `checked_out`; no foreign key, as the order may be gone or refused.';
COMMENT ON CONSTRAINT chain_events_order_names_product ON chain_events IS
    'An order that is made of an event has its snapshot from it.';

-- All events of a wallet, which go with its last user.
DROP INDEX chain_events_wallet_address_idx;
CREATE INDEX chain_events_wallet_address_idx ON chain_events (wallet_address);
COMMENT ON INDEX chain_events_wallet_address_idx IS
    'The events of a wallet, which go with its last user.';

-- Events of wallets that nobody here has are no longer kept.
DELETE FROM chain_events
WHERE
    NOT EXISTS (
        SELECT FROM users WHERE users.wallet_address = chain_events.wallet_address
    );

-- A checkpoint is no place in the events of one module. The next reading begins at the
-- beginning, which changes nothing that is here.
DELETE FROM chain_cursor;
ALTER TABLE chain_cursor DROP COLUMN checkpoint;
ALTER TABLE chain_cursor
ADD COLUMN tx_digest varchar(255) NOT NULL,
ADD COLUMN event_seq varchar(255) NOT NULL,
ADD CONSTRAINT chain_cursor_is_not_empty CHECK (tx_digest <> '' AND event_seq <> '');
COMMENT ON TABLE chain_cursor IS
    'How far the events of Sui are recorded, in one row: it moves with them or not at all. No row: nothing is.';
COMMENT ON COLUMN chain_cursor.tx_digest IS
    'The nextCursor of the last page, as the node gave it: its txDigest.';
COMMENT ON COLUMN chain_cursor.event_seq IS 'Its eventSeq.';
COMMENT ON CONSTRAINT chain_cursor_is_not_empty ON chain_cursor IS
    'A cursor is both of its texts.';

CREATE TABLE set_aside_chain_events (
    id uuid NOT NULL CONSTRAINT set_aside_chain_events_pkey PRIMARY KEY,
    reason varchar(500) NOT NULL,
    event text NOT NULL
        CONSTRAINT set_aside_chain_events_is_bounded CHECK (octet_length(event) <= 1048576),
    is_whole boolean NOT NULL,
    wallet_address sui_address,
    set_aside_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE set_aside_chain_events IS
    'Events that could not be recorded, or whose order could not be made, with the reason: they hold nothing up, and wait to be looked at.';
COMMENT ON COLUMN set_aside_chain_events.id IS
    'Made of the event''s id, else of the whole event: set aside again, it is one row.';
COMMENT ON COLUMN set_aside_chain_events.reason IS 'Names fields and rules, never values.';
COMMENT ON COLUMN set_aside_chain_events.event IS
    'The event as it came, as JSON in ASCII; its first MiB.';
COMMENT ON COLUMN set_aside_chain_events.is_whole IS
    'Whether that is all of it, which can be tried again.';
COMMENT ON COLUMN set_aside_chain_events.wallet_address IS
    'Whose cart it is, where that can be read.';
COMMENT ON CONSTRAINT set_aside_chain_events_pkey ON set_aside_chain_events IS
    'An event is set aside once.';
COMMENT ON CONSTRAINT set_aside_chain_events_is_bounded ON set_aside_chain_events IS
    'Nobody fills the table with one event.';

CREATE INDEX set_aside_chain_events_time_idx ON set_aside_chain_events (set_aside_at, id);
COMMENT ON INDEX set_aside_chain_events_time_idx IS 'Events set aside, oldest first.';
CREATE INDEX set_aside_chain_events_wallet_address_idx ON set_aside_chain_events (wallet_address);
COMMENT ON INDEX set_aside_chain_events_wallet_address_idx IS
    'Those of a wallet, which go with its last user.';

-- An order may come from the chain before its item does.
CREATE INDEX order_items_without_cart_item_idx ON order_items (on_chain_object_id)
WHERE cart_item_id IS NULL AND on_chain_object_id IS NOT NULL;
COMMENT ON INDEX order_items_without_cart_item_idx IS
    'Snapshots whose item is not here yet, by its name on chain.';

-- Events are kept of wallets that somebody here has.
CREATE FUNCTION forget_chain_events() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM users WHERE wallet_address = OLD.wallet_address) THEN
        DELETE FROM chain_events WHERE wallet_address = OLD.wallet_address;
        DELETE FROM set_aside_chain_events WHERE wallet_address = OLD.wallet_address;
    END IF;
    RETURN NULL;
END
$$ SET search_path FROM CURRENT;

CREATE TRIGGER users_forget_chain_events
    AFTER DELETE ON users
    FOR EACH ROW WHEN (OLD.wallet_address IS NOT NULL)
    EXECUTE FUNCTION forget_chain_events();

-- migrate:down

DROP TRIGGER users_forget_chain_events ON users;
DROP FUNCTION forget_chain_events();
DROP INDEX order_items_without_cart_item_idx;
DROP TABLE set_aside_chain_events;

DELETE FROM chain_cursor;
ALTER TABLE chain_cursor DROP COLUMN tx_digest, DROP COLUMN event_seq;
ALTER TABLE chain_cursor
ADD COLUMN checkpoint bigint NOT NULL
    CONSTRAINT chain_cursor_is_not_negative CHECK (checkpoint >= 0);
COMMENT ON TABLE chain_cursor IS
    'How far the events of Sui are recorded, in one row: it moves with them or not at all.';
COMMENT ON COLUMN chain_cursor.checkpoint IS
    'The last Sui checkpoint of which all events are recorded.';

DROP INDEX chain_events_wallet_address_idx;
CREATE INDEX chain_events_wallet_address_idx ON chain_events (wallet_address)
    WHERE type = 'added';
COMMENT ON INDEX chain_events_wallet_address_idx IS 'What was added to the cart of a wallet.';

ALTER TABLE chain_events
DROP CONSTRAINT chain_events_order_names_product,
DROP COLUMN time_is_of_receipt,
DROP COLUMN crossmint_order_id;
COMMENT ON COLUMN chain_events.type IS NULL;
COMMENT ON COLUMN chain_events.object_id IS NULL;
COMMENT ON COLUMN chain_events.wallet_address IS
    'Whose cart it is; no foreign key, as the event may come before the user, or of a stranger.';
COMMENT ON COLUMN chain_events.occurred_at IS 'The chain''s time.';
COMMENT ON COLUMN chain_events.product_id IS 'Set in `added`, with the other details.';

DROP INDEX cart_items_held_by_contract_idx;
ALTER TABLE cart_items DROP COLUMN ended_at;

-- Names that are UUIDs have no place in what was before: their items are off chain there.
DELETE FROM chain_events WHERE object_id !~ '^0x';
UPDATE cart_items SET on_chain_object_id = NULL WHERE on_chain_object_id !~ '^0x';
UPDATE order_items SET on_chain_object_id = NULL WHERE on_chain_object_id !~ '^0x';
ALTER DOMAIN sui_object_id DROP CONSTRAINT sui_object_id_is_normalised;
ALTER DOMAIN sui_object_id
    ADD CONSTRAINT sui_object_id_is_normalised CHECK (VALUE ~ '^0x[0-9a-f]{64}$');
COMMENT ON DOMAIN sui_object_id IS 'A Sui object id: 0x and 64 lower-case hex digits.';
