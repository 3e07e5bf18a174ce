-- migrate:up

-- All at once or not at all, though it holds writers up: half of it is no schema of ours.
-- squawk-ignore-file ban-drop-constraint, ban-drop-not-null, ban-alter-domain-with-add-constraint
-- squawk-ignore-file constraint-missing-not-valid, require-concurrent-index-creation

-- As in 0009: functions keep the schema that they are created in.
SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', TRUE);

-- A deposit of nothing is verified and stays, and nothing received is an amount, too.
ALTER DOMAIN usdc_amount DROP CONSTRAINT usdc_amount_is_positive;
ALTER DOMAIN usdc_amount ADD CONSTRAINT usdc_amount_is_not_negative CHECK (VALUE >= 0);

-- Events, as they come and as they are applied

-- Whether an event of this type can ever count for an order: those of order_status_of().
CREATE FUNCTION order_event_has_effect(event_type text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(
    event_type IN (
        'orders.payment.succeeded',
        'orders.payment.failed',
        'orders.delivery.initiated',
        'orders.delivery.completed',
        'orders.delivery.failed',
        'user.cancelled',
        'store.given_up'
    ),
    FALSE
);

-- JSON as the server reads it, or NULL where it cannot hold it: NUL, a lone surrogate, a
-- number or a nesting out of bounds, bytes that are no UTF-8, no JSON at all.
CREATE FUNCTION jsonb_or_null(body bytea) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    RETURN convert_from(body, 'UTF8')::jsonb;
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    RETURN NULL;
END
$$;

-- A signed event is kept whatever it says, so it may name no order and no type.
ALTER TABLE order_events ALTER COLUMN type DROP NOT NULL;
ALTER TABLE order_events DROP CONSTRAINT order_events_concerns_one_order;
ALTER TABLE order_events ADD CONSTRAINT order_events_concerns_one_order
    CHECK (num_nonnulls(crossmint_order_id, order_id) <= 1);

ALTER TABLE order_events
    ADD COLUMN raw bytea,
    ADD COLUMN quoted_usdc usdc_amount,
    ADD COLUMN received_usdc usdc_amount,
    ADD COLUMN amount numeric,
    ADD COLUMN currency varchar(50),
    ADD COLUMN applied_at timestamptz,
    ADD COLUMN status_before order_status,
    ADD COLUMN status_after order_status,
    ADD COLUMN announced_at timestamptz;
ALTER TABLE order_events ADD CONSTRAINT order_events_raw_is_bounded
    CHECK (octet_length(raw) <= 1048576);
ALTER TABLE order_events ADD CONSTRAINT order_events_payload_is_kept_once
    CHECK (num_nonnulls(payload, raw) <= 1);
ALTER TABLE order_events ADD CONSTRAINT order_events_amount_is_finite
    CHECK (amount >= 0 AND amount < 'Infinity');

COMMENT ON COLUMN order_events.crossmint_order_id IS
    'The order of a Crossmint event, NULL if it names none; no foreign key, as the event may come before the order.';
COMMENT ON COLUMN order_events.type IS 'NULL if the event names none.';
COMMENT ON COLUMN order_events.payload IS 'A Crossmint event as it came, where jsonb can hold it.';
COMMENT ON COLUMN order_events.raw IS 'A Crossmint event as it came, where jsonb cannot hold it; at most 1 MiB.';
COMMENT ON COLUMN order_events.amount_usdc IS 'What the event says that the order costs, if that is in USDC (or its test token).';
COMMENT ON COLUMN order_events.quoted_usdc IS 'The total price that the event quotes, in USDC.';
COMMENT ON COLUMN order_events.received_usdc IS 'What the event says was paid, in USDC.';
COMMENT ON COLUMN order_events.amount IS 'What the event says that the order costs, as it says it, in currency.';
COMMENT ON COLUMN order_events.currency IS 'Of amount, as the event spells it; NULL if it names none.';
COMMENT ON COLUMN order_events.applied_at IS 'When it was counted for its order, which was here by then.';
COMMENT ON COLUMN order_events.status_before IS 'The order''s status when it was applied.';
COMMENT ON COLUMN order_events.status_after IS 'The order''s status once it was applied.';
COMMENT ON COLUMN order_events.announced_at IS 'When the API said that it has told whom it concerns.';

-- What was here before is history: it was applied when it came, and nobody waits to be
-- told. Events whose order is not here yet are as new as they were.
UPDATE order_events
SET applied_at = order_events.received_at, announced_at = order_events.received_at
FROM orders
WHERE
    orders.type = 'checkout'
    AND (order_events.order_id = orders.id OR order_events.crossmint_order_id = orders.crossmint_order_id);

CREATE INDEX order_events_to_announce_idx ON order_events (applied_at, received_at, id)
    WHERE applied_at IS NOT NULL AND announced_at IS NULL;
COMMENT ON INDEX order_events_to_announce_idx IS 'The events that wait to be announced, the oldest first.';
CREATE INDEX order_events_unmatched_payment_idx ON order_events (received_at, id)
    WHERE applied_at IS NULL AND type = 'orders.payment.succeeded';
COMMENT ON INDEX order_events_unmatched_payment_idx IS 'The payments whose order is not here, the oldest first.';
CREATE INDEX order_events_to_forget_idx ON order_events (received_at, id)
    WHERE payload IS NOT NULL OR raw IS NOT NULL OR NOT order_event_has_effect(type);
COMMENT ON INDEX order_events_to_forget_idx IS 'The events that retention has something to take from, the oldest first.';

-- Keeps of a late event only that it happened: money may have moved.
CREATE OR REPLACE FUNCTION strip_event_of_retired_order() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT FROM retired_orders WHERE crossmint_order_id = NEW.crossmint_order_id) THEN
        NEW.payload := NULL;
        NEW.raw := NULL;
        NEW.payment_hash := NULL;
    END IF;
    RETURN NEW;
END
$$;

-- Orders

ALTER TABLE orders
    ADD COLUMN quoted_usdc usdc_amount,
    ADD COLUMN received_usdc usdc_amount,
    ADD COLUMN settled_at timestamptz,
    ADD COLUMN on_chain boolean NOT NULL DEFAULT FALSE,
    ADD COLUMN paid_late boolean NOT NULL DEFAULT FALSE;
ALTER TABLE orders ADD CONSTRAINT orders_settled_is_a_deposit
    CHECK (type = 'deposit' OR settled_at IS NULL);
COMMENT ON COLUMN orders.quoted_usdc IS 'What the order was to cost: said at checkout, then by the payment''s event.';
COMMENT ON COLUMN orders.received_usdc IS 'What was paid, from Crossmint''s webhook.';
COMMENT ON COLUMN orders.settled_at IS 'When a deposit was credited, or taken over as one that may be: it is never credited after.';
COMMENT ON COLUMN orders.on_chain IS 'Whether the item is an object of the chain; set by a trigger on the snapshot.';
COMMENT ON COLUMN orders.paid_late IS
    'Whether it was paid after it was cancelled, or while another paid order had its item: what may be paid twice.';

CREATE FUNCTION note_item_on_chain() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE orders SET on_chain = TRUE WHERE id = NEW.order_id AND NOT on_chain;
    RETURN NULL;
END
$$;

CREATE TRIGGER order_items_note_on_chain
    AFTER INSERT OR UPDATE OF on_chain_object_id ON order_items
    FOR EACH ROW WHEN (NEW.on_chain_object_id IS NOT NULL)
    EXECUTE FUNCTION note_item_on_chain();

UPDATE orders
SET on_chain = TRUE
FROM order_items
WHERE order_items.order_id = orders.id AND order_items.on_chain_object_id IS NOT NULL;

UPDATE orders SET settled_at = created_at WHERE type = 'deposit' AND status = 'delivered';

UPDATE orders
SET paid_late = TRUE
WHERE
    type = 'checkout'
    AND status IN ('payment_confirmed', 'in_progress', 'delivered')
    AND (
        EXISTS (
            SELECT FROM order_events AS event
            WHERE
                (event.order_id = orders.id OR event.crossmint_order_id = orders.crossmint_order_id)
                AND event.type IN (
                    'orders.payment.failed', 'orders.delivery.failed', 'user.cancelled', 'store.given_up'
                )
        )
        OR EXISTS (
            SELECT FROM order_items AS mine
            INNER JOIN order_items AS theirs ON mine.cart_item_id = theirs.cart_item_id
            INNER JOIN orders AS other ON theirs.order_id = other.id
            WHERE
                mine.order_id = orders.id
                AND other.status IN ('payment_confirmed', 'in_progress', 'delivered')
                AND (other.created_at, other.id) < (orders.created_at, orders.id)
        )
    );

CREATE INDEX orders_awaiting_approval_idx ON orders (created_at, id)
    WHERE type = 'checkout' AND status = 'awaiting_approval' AND tx_hash IS NULL;
COMMENT ON INDEX orders_awaiting_approval_idx IS 'The checkouts that may be given up, the oldest first.';
CREATE INDEX orders_without_digest_idx ON orders (created_at, id)
    WHERE on_chain AND tx_hash IS NULL AND status IN ('payment_confirmed', 'in_progress', 'delivered');
COMMENT ON INDEX orders_without_digest_idx IS 'The paid orders that are to be checked out on chain, the oldest first.';
CREATE INDEX orders_open_deposit_idx ON orders (created_at, id)
    WHERE type = 'deposit' AND settled_at IS NULL AND status IN ('awaiting_approval', 'payment_confirmed');
COMMENT ON INDEX orders_open_deposit_idx IS 'The deposits that wait for the chain or to be credited, the oldest first.';
CREATE INDEX orders_payment_differs_idx ON orders (created_at, id)
    WHERE quoted_usdc <> received_usdc;
COMMENT ON INDEX orders_payment_differs_idx IS 'The orders that were paid too little or too much, the oldest first.';
CREATE INDEX orders_paid_late_idx ON orders (created_at, id) WHERE paid_late;
COMMENT ON INDEX orders_paid_late_idx IS 'The orders that may be paid twice, the oldest first.';

-- migrate:down

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', TRUE);

DROP INDEX orders_paid_late_idx;
DROP INDEX orders_payment_differs_idx;
DROP INDEX orders_open_deposit_idx;
DROP INDEX orders_without_digest_idx;
DROP INDEX orders_awaiting_approval_idx;
DROP TRIGGER order_items_note_on_chain ON order_items;
DROP FUNCTION note_item_on_chain();
ALTER TABLE orders
    DROP COLUMN paid_late,
    DROP COLUMN on_chain,
    DROP COLUMN settled_at,
    DROP COLUMN received_usdc,
    DROP COLUMN quoted_usdc;

CREATE OR REPLACE FUNCTION strip_event_of_retired_order() RETURNS trigger
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    IF EXISTS (SELECT FROM retired_orders WHERE crossmint_order_id = NEW.crossmint_order_id) THEN
        NEW.payload := NULL;
        NEW.payment_hash := NULL;
    END IF;
    RETURN NEW;
END
$$;

DROP INDEX order_events_to_forget_idx;
DROP INDEX order_events_unmatched_payment_idx;
DROP INDEX order_events_to_announce_idx;
ALTER TABLE order_events
    DROP COLUMN announced_at,
    DROP COLUMN status_after,
    DROP COLUMN status_before,
    DROP COLUMN applied_at,
    DROP COLUMN currency,
    DROP COLUMN amount,
    DROP COLUMN received_usdc,
    DROP COLUMN quoted_usdc,
    DROP COLUMN raw;
COMMENT ON COLUMN order_events.payload IS 'A Crossmint event as it came.';
COMMENT ON COLUMN order_events.amount_usdc IS NULL;
COMMENT ON COLUMN order_events.type IS NULL;
COMMENT ON COLUMN order_events.crossmint_order_id IS
    'The order of a Crossmint event; no foreign key, as the event may come before the order.';
-- Such events have no effect, and no place in the older table.
DELETE FROM order_events WHERE type IS NULL OR num_nonnulls(crossmint_order_id, order_id) = 0;
ALTER TABLE order_events DROP CONSTRAINT order_events_concerns_one_order;
ALTER TABLE order_events ADD CONSTRAINT order_events_concerns_one_order
    CHECK (num_nonnulls(crossmint_order_id, order_id) = 1);
ALTER TABLE order_events ALTER COLUMN type SET NOT NULL;
DROP FUNCTION jsonb_or_null(bytea), order_event_has_effect(text);

UPDATE orders SET amount_usdc = NULL WHERE amount_usdc = 0;
UPDATE order_events SET amount_usdc = NULL WHERE amount_usdc = 0;
ALTER DOMAIN usdc_amount DROP CONSTRAINT usdc_amount_is_not_negative;
ALTER DOMAIN usdc_amount ADD CONSTRAINT usdc_amount_is_positive CHECK (VALUE > 0);
