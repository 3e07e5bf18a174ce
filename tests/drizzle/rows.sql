-- What the replaced backend leaves behind, with all that adoption has to mend. Times are
-- those of a server in UTC. Ids tell their table by the first digit. payment_hash comes in
-- payment_hashes.sql, as some of its databases have no such column.

INSERT INTO users (
    id, crossmint_user_id, email, wallet_address, crossmint_wallet_id, wallet_status,
    onboarding_step, display_name, first_name, last_name, street, city, state, zip, country,
    tops_size, bottoms_size, footwear_size, evm_address, sui_private_key_encrypted,
    created_at, updated_at
) VALUES
(
    '10000000-0000-4000-8000-000000000001', 'google|ada', 'Ada@example.org', '0xABC',
    'wallet-1', 'active', 3, 'Ada', 'Ada', 'Lovelace', 'St James''s Square 12', 'London', 'LND',
    'SW1Y', 'GB', 'M', '32', '7', '0xABCDEFabcdefABCDEFabcdefABCDEFabcdefABCD',
    -- base64 of a nonce, a tag and a suiprivkey1, encrypted with the key 0e…0e
    'AAECAwQFBgcICQoL5UadfuQxrv2ccNGt4GGybdgG8HywDck/rkPS2s2UF5IeMB3aXKGEbhMz7zom6puD/NAVYbGLGx2t0YJEdJz6E4vwlBRW5Myy9sxwbGz1xo2mBF6BYiE=',
    '2026-01-02 03:04:05.678901', '2026-02-03 04:05:06'
),
(
    '10000000-0000-4000-8000-000000000002', 'google|bob', 'bob@example.org', NULL, NULL, 'none',
    0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    '2026-07-01 00:00:00', '2026-07-01 00:00:00'
),
-- Provisioning broke off, and the clock that wrote updated_at was behind the database's.
(
    '10000000-0000-4000-8000-000000000003', 'google|carol', 'carol', NULL, NULL, 'pending',
    0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    '2026-07-02 00:00:00', '2026-07-01 23:59:59.5'
),
-- Crossmint's reference of the wallet may be its address; state was left empty.
(
    '10000000-0000-4000-8000-000000000004', 'google|dave', '@', '0xdddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd',
    '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed', 'active', 2, 'Dave', 'Dave', 'Bowman',
    'Discovery 1', 'Jupiter', '', '2001', 'US', NULL, NULL, NULL,
    '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed', NULL, '2026-07-03 00:00:00', '2026-07-03 00:01:00'
);

INSERT INTO chat_sessions (id, user_id, title, created_at, updated_at) VALUES
(
    '20000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', 'Notebooks',
    '2026-01-03 00:00:00', '2026-01-03 00:10:00'
),
(
    '20000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000001', NULL,
    '2026-01-04 00:00:00', '2026-01-04 00:00:00'
);

-- The second turn was written first; both messages of a turn have one time.
INSERT INTO chat_messages (id, session_id, msg_id, role, parts, created_at) VALUES
(
    '30000000-0000-4000-8000-000000000004', '20000000-0000-4000-8000-000000000001', 'm3', 'user',
    '[{"type": "text", "text": "And a pen?"}]', '2026-01-03 00:10:00'
),
(
    '30000000-0000-4000-8000-000000000003', '20000000-0000-4000-8000-000000000001', 'm4',
    'assistant', '[{"type": "text", "text": "Here."}]', '2026-01-03 00:10:00'
),
(
    '30000000-0000-4000-8000-000000000002', '20000000-0000-4000-8000-000000000001', 'm1', 'user',
    '"[{\"type\": \"text\", \"text\": \"A notebook\"}]"', '2026-01-03 00:00:00'
),
(
    '30000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000001', 'm2',
    'assistant', '[]', '2026-01-03 00:00:00'
),
-- 5 and 8 share their msg_id; 6 and 7 have none. Parts were a text, an object, and of the
-- SDK's older form for tools.
(
    '30000000-0000-4000-8000-000000000005', '20000000-0000-4000-8000-000000000002', 'm1', 'user',
    '[]', '2026-01-04 00:00:00'
),
(
    '30000000-0000-4000-8000-000000000006', '20000000-0000-4000-8000-000000000002', NULL, 'user',
    '"A notebook, and a pen"', '2026-01-04 00:01:00'
),
(
    '30000000-0000-4000-8000-000000000007', '20000000-0000-4000-8000-000000000002', NULL,
    'assistant', '{"answer": 42}', '2026-01-04 00:02:00'
),
(
    '30000000-0000-4000-8000-000000000008', '20000000-0000-4000-8000-000000000002', 'm1',
    'assistant',
    '[{"type": "tool-invocation", "toolInvocation": {"toolName": "viewCart", "toolCallId": "c1", "state": "result", "args": {}, "result": {"items": []}}}]',
    '2026-01-04 00:03:00'
);

-- 1 and 2 are live duplicate variants, which the old unique index lets in as their size is
-- NULL; 3 has left the cart, 4 is of another colour, 5 of another user, 6 was mirrored from
-- Sui. Of 7, 8 and 9 no size was given: by the site, from the chain, and by the chat's tool.
INSERT INTO cart_items (
    id, user_id, product_id, product_name, price, size, color, tx_digest, on_chain_object_id,
    deleted_at, created_at
) VALUES
(
    '40000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', 'B01',
    'Squared notebook', 1490, NULL, 'red', NULL, NULL, NULL, '2026-03-01 00:00:00'
),
(
    '40000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000001', 'B01',
    'Squared notebook', 1590, NULL, 'red', NULL, NULL, NULL, '2026-03-02 00:00:00'
),
(
    '40000000-0000-4000-8000-000000000003', '10000000-0000-4000-8000-000000000001', 'B01',
    'Squared notebook', 1390, NULL, 'red', NULL, NULL, '2026-02-02 00:00:00+01', '2026-02-01 00:00:00'
),
(
    '40000000-0000-4000-8000-000000000004', '10000000-0000-4000-8000-000000000001', 'B01',
    'Squared notebook', 1490, NULL, NULL, NULL, NULL, NULL, '2026-03-03 00:00:00'
),
(
    '40000000-0000-4000-8000-000000000005', '10000000-0000-4000-8000-000000000002', 'B01',
    'Squared notebook', 1490, NULL, 'red', NULL, NULL, NULL, '2026-03-04 00:00:00'
),
(
    '40000000-0000-4000-8000-000000000006', '10000000-0000-4000-8000-000000000001', 'P01',
    'Pen', 250, 'F', 'blue', '4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi', '0xDEF', NULL,
    '2026-03-05 00:00:00'
),
(
    '40000000-0000-4000-8000-000000000007', '10000000-0000-4000-8000-000000000001', 'S01',
    'Shirt', 1990, '', '', NULL, NULL, NULL, '2026-03-06 00:00:00'
),
(
    '40000000-0000-4000-8000-000000000008', '10000000-0000-4000-8000-000000000001', 'S01',
    'Shirt', 1990, NULL, NULL, NULL, NULL, NULL, '2026-03-07 00:00:00'
),
(
    '40000000-0000-4000-8000-000000000009', '10000000-0000-4000-8000-000000000001', 'S01',
    'Shirt', 1990, 'Default', 'Default', NULL, NULL, NULL, '2026-03-08 00:00:00'
),
-- Mirrored by the UUID that the contract knows an item by: a awaits two payments, b and c
-- are one variant, d was put there by somebody else, under no such name.
(
    '40000000-0000-4000-8000-00000000000a', '10000000-0000-4000-8000-000000000004', 'C01',
    'Chair', 4990, NULL, NULL, '5vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi',
    'a0000000-0000-4000-8000-00000000000a', NULL, '2026-03-09 00:00:00'
),
(
    '40000000-0000-4000-8000-00000000000b', '10000000-0000-4000-8000-000000000004', 'C02',
    'Cushion', 990, NULL, NULL, '6vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi',
    'a0000000-0000-4000-8000-00000000000B', NULL, '2026-03-09 00:00:00'
),
(
    '40000000-0000-4000-8000-00000000000c', '10000000-0000-4000-8000-000000000004', 'C02',
    'Cushion', 990, NULL, NULL, '7vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi',
    'a0000000-0000-4000-8000-00000000000c', NULL, '2026-03-10 00:00:00'
),
(
    '40000000-0000-4000-8000-00000000000d', '10000000-0000-4000-8000-000000000004', 'C03',
    'Cat', 1, NULL, NULL, '8vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi', '17', NULL,
    '2026-03-11 00:00:00'
),
-- Paid, and brought back by the failure of another order for it.
(
    '40000000-0000-4000-8000-00000000000e', '10000000-0000-4000-8000-000000000004', 'C04',
    'Candle', 500, 'L', 'red', NULL, NULL, NULL, '2026-03-12 00:00:00'
);

-- Of 1 to 5 one of each status; 6 and 7 are deposits as the store has them. 9 and a await
-- the payment of one item, which is in the cart; b the old indexer made, without a snapshot.
-- c and d are deposits as the old backend leaves them, paid out or not. e is paid, f was
-- paid in another currency.
INSERT INTO orders (
    id, user_id, type, crossmint_order_id, status, amount_usdc, tx_hash, created_at
) VALUES
(
    '50000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', 'checkout',
    'crossmint-1', 'awaiting_approval', 14.90, NULL, '2026-04-01 00:00:00'
),
(
    '50000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000001', 'checkout',
    'crossmint-2', 'payment_confirmed', 14.90, NULL, '2026-04-02 00:00:00'
),
(
    '50000000-0000-4000-8000-000000000003', '10000000-0000-4000-8000-000000000001', 'checkout',
    'crossmint-3', 'in_progress', 14.90, NULL, '2026-04-03 00:00:00'
),
(
    '50000000-0000-4000-8000-000000000004', '10000000-0000-4000-8000-000000000001', 'checkout',
    'crossmint-4', 'delivered', 14.90, NULL, '2026-04-04 00:00:00'
),
(
    '50000000-0000-4000-8000-000000000005', '10000000-0000-4000-8000-000000000001', 'checkout',
    'crossmint-5', 'cancelled', 14.90, NULL, '2026-04-05 00:00:00'
),
(
    '50000000-0000-4000-8000-000000000006', '10000000-0000-4000-8000-000000000001', 'deposit',
    NULL, 'delivered', 100,
    '0xABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCD', '2026-04-06 00:00:00'
),
(
    '50000000-0000-4000-8000-000000000007', '10000000-0000-4000-8000-000000000002', 'deposit',
    NULL, 'awaiting_approval', NULL, '4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi',
    '2026-04-07 00:00:00'
),
(
    '50000000-0000-4000-8000-000000000008', '10000000-0000-4000-8000-000000000001', 'checkout',
    'crossmint-8', 'cancelled', 14.90, '9vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi',
    '2026-04-08 00:00:00'
),
(
    '50000000-0000-4000-8000-000000000009', '10000000-0000-4000-8000-000000000004', 'checkout',
    'crossmint-9', 'awaiting_approval', NULL, NULL, '2026-04-09 00:00:00'
),
(
    '50000000-0000-4000-8000-00000000000a', '10000000-0000-4000-8000-000000000004', 'checkout',
    'crossmint-a', 'awaiting_approval', NULL, NULL, '2026-04-10 00:00:00'
),
(
    '50000000-0000-4000-8000-00000000000b', '10000000-0000-4000-8000-000000000004', 'checkout',
    'crossmint-b', 'awaiting_approval', NULL, NULL, '2026-04-11 00:00:00'
),
(
    '50000000-0000-4000-8000-00000000000c', '10000000-0000-4000-8000-000000000004', 'deposit',
    NULL, 'payment_confirmed', 100.5, 'AvJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi',
    '2026-04-12 00:00:00'
),
(
    '50000000-0000-4000-8000-00000000000d', '10000000-0000-4000-8000-000000000004', 'deposit',
    NULL, 'payment_confirmed', 0, 'BvJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi',
    '2026-04-13 00:00:00'
),
(
    '50000000-0000-4000-8000-00000000000e', '10000000-0000-4000-8000-000000000004', 'checkout',
    'crossmint-e', 'payment_confirmed', 5, NULL, '2026-04-14 00:00:00'
),
(
    '50000000-0000-4000-8000-00000000000f', '10000000-0000-4000-8000-000000000004', 'checkout',
    'crossmint-f', 'delivered', 0.00123456789, NULL, '2026-04-15 00:00:00'
);

INSERT INTO order_items (
    id, order_id, cart_item_id, product_id, product_name, price, size, color, on_chain_object_id,
    created_at
) VALUES
(
    '60000000-0000-4000-8000-000000000001', '50000000-0000-4000-8000-000000000001',
    '40000000-0000-4000-8000-000000000003', 'B01', 'Squared notebook', 1390, '', 'red', NULL,
    '2026-04-01 00:00:00'
),
(
    '60000000-0000-4000-8000-000000000002', '50000000-0000-4000-8000-000000000002', NULL, 'P02',
    'Pencil', 100, NULL, NULL, '0xFED', '2026-04-02 00:00:00'
),
(
    '60000000-0000-4000-8000-000000000009', '50000000-0000-4000-8000-000000000009',
    '40000000-0000-4000-8000-00000000000a', 'C01', 'Chair', 4990, NULL, NULL,
    'a0000000-0000-4000-8000-00000000000a', '2026-04-09 00:00:00'
),
(
    '60000000-0000-4000-8000-00000000000a', '50000000-0000-4000-8000-00000000000a',
    '40000000-0000-4000-8000-00000000000a', 'C01', 'Chair', 4990, NULL, NULL,
    'a0000000-0000-4000-8000-00000000000a', '2026-04-10 00:00:00'
),
(
    '60000000-0000-4000-8000-00000000000e', '50000000-0000-4000-8000-00000000000e',
    '40000000-0000-4000-8000-00000000000e', 'C04', 'Candle', 500, 'L', 'red', NULL,
    '2026-04-14 00:00:00'
);
