-- migrate:up

CREATE TABLE retired_orders (
    id uuid NOT NULL CONSTRAINT retired_orders_pkey PRIMARY KEY,
    crossmint_order_id crossmint_id CONSTRAINT retired_orders_crossmint_order_id_key UNIQUE,
    tx_hash transaction_hash CONSTRAINT retired_orders_tx_hash_key UNIQUE
);
COMMENT ON TABLE retired_orders IS
    'What the orders of deleted users have used up, so that no transaction pays again for somebody else, and no event that comes later brings personal data back.';
COMMENT ON COLUMN retired_orders.id IS 'The id that the order had.';

-- Runs after the row is in its unique indexes: an insertion that waited there for the
-- deletion of the former order sees what that has left here.
CREATE FUNCTION refuse_retired_order() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    used text;
BEGIN
    SELECT CASE WHEN tx_hash = NEW.tx_hash THEN 'tx_hash' ELSE 'crossmint_order_id' END
    INTO used
    FROM retired_orders
    WHERE crossmint_order_id = NEW.crossmint_order_id OR tx_hash = NEW.tx_hash
    LIMIT 1;
    IF FOUND THEN
        RAISE unique_violation USING
            MESSAGE = 'a deleted user''s order has used this ' || used,
            TABLE = 'orders',
            CONSTRAINT = 'orders_' || used || '_key';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER orders_refuse_retired
    AFTER INSERT OR UPDATE OF crossmint_order_id, tx_hash ON orders
    FOR EACH ROW WHEN (NEW.crossmint_order_id IS NOT NULL OR NEW.tx_hash IS NOT NULL)
    EXECUTE FUNCTION refuse_retired_order();

-- Keeps of a late event only that it happened: money may have moved.
CREATE FUNCTION strip_event_of_retired_order() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM retired_orders WHERE crossmint_order_id = NEW.crossmint_order_id) THEN
        NEW.payload := NULL;
        NEW.payment_hash := NULL;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER order_events_strip_retired
    BEFORE INSERT ON order_events
    FOR EACH ROW WHEN (NEW.crossmint_order_id IS NOT NULL)
    EXECUTE FUNCTION strip_event_of_retired_order();

-- migrate:down

DROP TRIGGER order_events_strip_retired ON order_events;
DROP TRIGGER orders_refuse_retired ON orders;
DROP FUNCTION strip_event_of_retired_order(), refuse_retired_order();
DROP TABLE retired_orders;
