-- The later migrations have run, and what is in the database now is adopted as a whole.
SET LOCAL search_path = public;

-- Tells whether a migration has added a column.
CREATE FUNCTION pg_temp.has(place text, name text) RETURNS boolean
LANGUAGE sql AS $$
    SELECT EXISTS (
        SELECT FROM pg_attribute
        WHERE attrelid = to_regclass(place) AND attname = name AND NOT attisdropped
    )
$$;

-- The old backend leaves deposits at payment_confirmed, paid out or not: none of them may
-- be paid out again.
DO $$
DECLARE
    settled bigint;
    total numeric;
BEGIN
    SELECT count(*), coalesce(sum(amount_usdc) FILTER (WHERE amount_usdc < 'Infinity'), 0)
    INTO settled, total
    FROM orders
    WHERE type = 'deposit' AND status IN ('awaiting_approval', 'payment_confirmed');
    IF settled > 0 AND pg_temp.has('orders', 'settled_at') THEN
        UPDATE orders SET settled_at = now()
        WHERE type = 'deposit' AND status IN ('awaiting_approval', 'payment_confirmed');
        RAISE INFO '-- % deposits of % USDC together count as settled: the old backend does not tell '
            'those that it has paid out from those that it has not', settled, total;
    END IF;
END
$$;

-- What was out of the cart counts as gone from the contract, where no event says so: it
-- was removed or checked out before the cursor. What adoption took out itself is there
-- still, and so is what was paid and has no digest.
DO $$
BEGIN
    IF pg_temp.has('cart_items', 'ended_at') THEN
        UPDATE cart_items SET ended_at = NULL
        WHERE
            ended_at IS NOT NULL
            AND (
                deleted_at = now()
                OR id IN (
                    SELECT order_items.cart_item_id
                    FROM order_items
                    INNER JOIN orders ON order_items.order_id = orders.id
                    WHERE
                        orders.status IN ('payment_confirmed', 'in_progress', 'delivered')
                        AND orders.tx_hash IS NULL
                )
            );
    END IF;
END
$$;

-- Where the old indexer stopped. Without that, events are read from their beginning.
DO $$
DECLARE
    place jsonb := nullif(current_setting('adoption.cursor'), '');
BEGIN
    IF NOT pg_temp.has('chain_cursor', 'event_seq') THEN
        IF place IS NOT NULL THEN
            RAISE 'these migrations have no place for the cursor' USING ERRCODE = '55000';
        END IF;
    ELSIF place IS NOT NULL THEN
        INSERT INTO chain_cursor (tx_digest, event_seq) VALUES (place ->> 'txDigest', place ->> 'eventSeq');
        RAISE INFO '-- the mirror goes on where the old indexer stopped';
    ELSE
        RAISE INFO '-- there is no cursor: the mirror begins with the first event';
    END IF;
END
$$;

-- The proof: everything that the migrations make is there. What is there beside it stays.
DO $$
DECLARE
    item record;
BEGIN
    FOR item IN TABLE target EXCEPT SELECT * FROM pg_temp.described() LOOP
        RAISE 'this was not reached: % % %', item.kind, item.place, item.name;
    END LOOP;
    FOR item IN
        SELECT * FROM pg_temp.described() EXCEPT TABLE target ORDER BY 1, 2, 3
    LOOP
        IF item.place IN (SELECT place FROM target) THEN
            RAISE INFO '-- stays, though no migration makes it: % % of %', item.kind, item.name, item.place;
        END IF;
    END LOOP;
END
$$;
