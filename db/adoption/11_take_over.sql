-- A status is what an order's events say, and these orders have none. Hash and amount stay
-- as they are until an event of Crossmint's tells them.
INSERT INTO order_events (id, order_id, type, received_at)
SELECT
    'adopted:' || id,
    id,
    CASE status
        WHEN 'payment_confirmed' THEN 'orders.payment.succeeded'
        WHEN 'in_progress' THEN 'orders.delivery.initiated'
        WHEN 'delivered' THEN 'orders.delivery.completed'
        -- After a payment it was the delivery that failed: no event of that payment, sent
        -- again, may bring the order back. Without one, a payment may still come. The
        -- digest of an item on chain was recorded after the payment, too.
        WHEN 'cancelled' THEN CASE
            WHEN num_nonnulls(payment_hash, tx_hash) = 0 THEN 'orders.payment.failed'
            ELSE 'orders.delivery.failed'
        END
    END,
    created_at
FROM orders
WHERE
    type = 'checkout'
    AND status IN ('payment_confirmed', 'in_progress', 'delivered', 'cancelled');

DO $$
DECLARE
    foreign_keys bigint;
BEGIN
    SELECT count(*) INTO foreign_keys FROM users WHERE sui_private_key_encrypted IS NOT NULL;
    IF foreign_keys > 0 THEN
        RAISE INFO '-- % wallet keys stay as the old backend encrypted them: see docs/keys.md', foreign_keys;
    END IF;
END
$$;

-- dbmate's ledger, as it makes it. The numbers come in when all is done.
CREATE TABLE IF NOT EXISTS public.schema_migrations (version varchar PRIMARY KEY);

-- Drizzle's goes: its next migration would be one for the old schema.
SELECT pg_temp.run('DROP TABLE drizzle.__drizzle_migrations');
DO $$
BEGIN
    DROP SCHEMA drizzle;
EXCEPTION WHEN dependent_objects_still_exist THEN
    RAISE INFO '-- the schema drizzle stays, which holds more than the ledger';
END
$$;
