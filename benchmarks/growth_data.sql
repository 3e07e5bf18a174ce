-- The rows of benchmarks/growth_data.py, in the order of their foreign keys. Ids are made of
-- numbers, so that statements can name any row; rows, users and own are numbers.

-- table: functions
CREATE FUNCTION pg_temp.key(kind text, number bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE RETURN md5(kind || number)::uuid;
CREATE FUNCTION pg_temp.hash(kind text, number bigint) RETURNS text
LANGUAGE sql IMMUTABLE RETURN '0x' || md5(kind || number) || md5(number || kind);
CREATE FUNCTION pg_temp.digest(number bigint) RETURNS text
LANGUAGE sql IMMUTABLE RETURN translate(md5('digest' || number), '0', 'z');
CREATE FUNCTION pg_temp.past(number bigint, rows bigint) RETURNS timestamptz
LANGUAGE sql STABLE RETURN now() - interval '1000 days' * (1 - number::float / (rows + 1));
-- Whose row it is: every fifth is the eldest's, as long as that one has too few.
CREATE FUNCTION pg_temp.owner(number bigint, users bigint, own bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE RETURN CASE
    WHEN number %% 5 = 0 AND number / 5 <= own THEN 1
    ELSE 2 + floor((users - 1) * power((abs(hashint8(number)) %% 1000000) / 1000000.0, 3))
END;

-- table: users
INSERT INTO users (
    id, crossmint_user_id, email, wallet_address, evm_address, wallet_status,
    wallet_status_since, onboarding_step, sui_private_key_encrypted, created_at, updated_at
)
SELECT
    pg_temp.key('user', i), 'google|' || i, 'user' || i || '@example.org',
    pg_temp.hash('wallet', i), left(pg_temp.hash('evm', i), 42),
    CASE WHEN i %% 100 = 7 THEN 'pending' ELSE 'active' END,
    pg_temp.past(i, %(users)s), 3, 'v1.' || md5(i::text), pg_temp.past(i, %(users)s), now()
FROM generate_series(1, %(users)s) AS i;

-- table: chat_sessions
INSERT INTO chat_sessions (id, user_id, title, title_source, created_at, updated_at)
SELECT
    pg_temp.key('session', i),
    pg_temp.key('user', CASE WHEN i = 1 THEN 1 ELSE pg_temp.owner(i, %(users)s, %(own)s) END),
    'Shopping', 'made', pg_temp.past(i, %(rows)s), pg_temp.past(i, %(rows)s)
FROM generate_series(1, %(rows)s / 10) AS i;

-- table: chat_messages
INSERT INTO chat_messages (session_id, msg_id, role, parts, created_at)
SELECT
    pg_temp.key(
        'session',
        CASE WHEN i %% 2 = 0 AND i / 2 <= 10000 THEN 1 ELSE 2 + i %% greatest(%(rows)s / 10 - 1, 1) END
    ),
    'm' || i, CASE WHEN i %% 4 < 2 THEN 'user' ELSE 'assistant' END,
    jsonb_build_array(jsonb_build_object('type', 'text', 'text', 'message ' || i)),
    pg_temp.past(i, %(rows)s)
FROM generate_series(1, %(rows)s) AS i;

-- table: cart_items
INSERT INTO cart_items (
    id, user_id, product_id, product_name, price, on_chain_object_id, created_at,
    deleted_at, ended_at
)
SELECT
    pg_temp.key('item', i), pg_temp.key('user', pg_temp.owner(i, %(users)s, %(own)s)),
    'B' || CASE WHEN i %% 10000 = 5 OR i %% 20 = 1 THEN i ELSE i / 100 END, 'Notebook', i %% 10000,
    CASE WHEN i %% 2 = 0 OR i %% 10000 = 5 THEN pg_temp.key('object', i)::text END,
    pg_temp.past(i, %(rows)s),
    CASE WHEN i %% 10000 <> 5 AND i %% 20 <> 1 THEN now() END,
    CASE WHEN i %% 2 = 0 AND i %% 10000 <> 5 AND i %% 20 <> 1 THEN now() END
FROM generate_series(1, %(rows)s) AS i;

-- table: orders
INSERT INTO orders (
    id, user_id, type, crossmint_order_id, status, amount_usdc, quoted_usdc, received_usdc,
    tx_hash, created_at, checkout_id, settled_at, on_chain, paid_late
)
SELECT
    pg_temp.key('order', i), pg_temp.key('user', pg_temp.owner(i, %(users)s, %(own)s)),
    CASE WHEN i %% 10 = 9 THEN 'deposit' ELSE 'checkout' END,
    CASE WHEN i %% 10 <> 9 THEN 'crossmint-' || i END,
    CASE
        WHEN i %% 100 = 15 THEN 'awaiting_approval' WHEN i %% 100 = 4 THEN 'payment_confirmed'
        WHEN i %% 100 = 99 AND i %% 1000 = 99 THEN 'awaiting_approval'
        WHEN i %% 1000 = 199 THEN 'payment_confirmed'
        WHEN i %% 50 = 17 THEN 'cancelled' ELSE 'delivered'
    END,
    1, 1, CASE WHEN i %% 100 = 5 THEN 2 ELSE 1 END,
    CASE
        WHEN i %% 10 = 9 THEN pg_temp.hash('deposit', i)
        WHEN i %% 2 = 0 AND i %% 100 <> 4 THEN translate(md5('order' || i), '0', 'z')
    END,
    pg_temp.past(i, %(rows)s),
    CASE WHEN i %% 10 <> 9 THEN pg_temp.key('checkout', i / 2) END,
    CASE WHEN i %% 10 = 9 AND i %% 1000 NOT IN (99, 199) THEN now() END,
    i %% 2 = 0 AND i %% 10 <> 9, i %% 100 = 10
FROM generate_series(1, %(rows)s) AS i;

-- table: order_items
INSERT INTO order_items (
    order_id, cart_item_id, product_id, product_name, price, on_chain_object_id, created_at
)
SELECT
    orders.id, cart_items.id, cart_items.product_id, 'Notebook', cart_items.price,
    cart_items.on_chain_object_id, orders.created_at
FROM generate_series(1, %(rows)s) AS i
INNER JOIN orders ON orders.id = pg_temp.key('order', i)
INNER JOIN cart_items ON cart_items.id = pg_temp.key('item', i)
WHERE i %% 10 <> 9;

-- table: order_events
INSERT INTO order_events (
    id, crossmint_order_id, type, payment_hash, amount_usdc, payload, received_at,
    applied_at, status_before, status_after, announced_at
)
SELECT
    'event-' || i, CASE WHEN i %% 100 = 6 THEN 'gone-' ELSE 'crossmint-' END || i,
    CASE WHEN i %% 3 = 0 THEN 'orders.quote.created' ELSE 'orders.payment.succeeded' END,
    'paid', 1, CASE WHEN i %% 10 = 0 THEN '{"type": "orders"}'::jsonb END,
    pg_temp.past(i, %(rows)s),
    CASE WHEN i %% 100 <> 6 THEN pg_temp.past(i + 20, %(rows)s) END,
    CASE WHEN i %% 100 = 10 THEN 'cancelled' ELSE 'awaiting_approval' END, 'payment_confirmed',
    CASE WHEN i %% 100 NOT IN (6, 8) THEN now() END
FROM generate_series(1, %(rows)s) AS i;

-- table: chain_events
INSERT INTO chain_events (
    tx_digest, event_sequence, type, object_id, wallet_address, occurred_at, product_id,
    product_name, price
)
SELECT
    pg_temp.digest(i), 0, 'added', pg_temp.key('object', i)::text,
    pg_temp.hash('wallet', pg_temp.owner(i, %(users)s, %(own)s)), pg_temp.past(i, %(rows)s),
    'B' || i, 'Notebook', i %% 10000
FROM generate_series(2, %(rows)s, 2) AS i;

-- table: set_aside_chain_events
INSERT INTO set_aside_chain_events (id, reason, event, is_whole, set_aside_at)
SELECT pg_temp.key('aside', i), 'price is no number', '{}', TRUE, pg_temp.past(i, %(rows)s / 100)
FROM generate_series(1, %(rows)s / 100) AS i;

-- table: retired_orders
INSERT INTO retired_orders (id, crossmint_order_id)
SELECT pg_temp.key('retired', i), 'retired-' || i FROM generate_series(1, %(rows)s / 100) AS i;

-- table: chain_cursor
INSERT INTO chain_cursor (tx_digest, event_seq) VALUES ('x', '0');
