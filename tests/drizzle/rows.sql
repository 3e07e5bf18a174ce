-- What the seed's backend may have left behind, with all that adoption has to mend.
-- Ids tell their table by the first digit.

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
    'b64:c3VpcHJpdmtleTE=', '2026-01-02 03:04:05.678901', '2026-02-03 04:05:06'
),
(
    '10000000-0000-4000-8000-000000000002', 'google|bob', NULL, NULL, NULL, 'none', 0, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    '2026-07-01 00:00:00', '2026-07-01 00:00:00'
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
(
    '30000000-0000-4000-8000-000000000005', '20000000-0000-4000-8000-000000000002', 'm1', 'tool',
    '[]', '2026-01-04 00:00:00'
);

-- 1 and 2 are live twins, which the old unique index lets in as their size is NULL; 3 has
-- left the cart, 4 is of another colour, 5 of another user, 6 was mirrored from Sui.
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
);

-- One order of each status, by its last digit; 6 and 7 are deposits.
INSERT INTO orders (
    id, user_id, type, crossmint_order_id, status, amount_usdc, tx_hash, payment_hash, created_at
) VALUES
(
    '50000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', 'checkout',
    'crossmint-1', 'awaiting_approval', 14.90, NULL, NULL, '2026-04-01 00:00:00'
),
(
    '50000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000001', 'checkout',
    'crossmint-2', 'payment_confirmed', 14.90, NULL, 'paid-2', '2026-04-02 00:00:00'
),
(
    '50000000-0000-4000-8000-000000000003', '10000000-0000-4000-8000-000000000001', 'checkout',
    'crossmint-3', 'in_progress', 14.90, NULL, 'paid-3', '2026-04-03 00:00:00'
),
(
    '50000000-0000-4000-8000-000000000004', '10000000-0000-4000-8000-000000000001', 'checkout',
    'crossmint-4', 'delivered', 14.90, NULL, 'paid-4', '2026-04-04 00:00:00'
),
(
    '50000000-0000-4000-8000-000000000005', '10000000-0000-4000-8000-000000000001', 'checkout',
    'crossmint-5', 'cancelled', 14.90, NULL, NULL, '2026-04-05 00:00:00'
),
(
    '50000000-0000-4000-8000-000000000006', '10000000-0000-4000-8000-000000000001', 'deposit',
    NULL, 'delivered', 100,
    '0xABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCDEFABCD', NULL,
    '2026-04-06 00:00:00'
),
(
    '50000000-0000-4000-8000-000000000007', '10000000-0000-4000-8000-000000000002', 'deposit',
    NULL, 'awaiting_approval', NULL, '4vJ9JU1bJJE96FWSJKvHsmmFADCg4gpZQff4P3bkLKi', NULL,
    '2026-04-07 00:00:00'
),
(
    '50000000-0000-4000-8000-000000000008', '10000000-0000-4000-8000-000000000001', 'checkout',
    'crossmint-8', 'cancelled', 14.90, NULL, 'paid-8', '2026-04-08 00:00:00'
);

INSERT INTO order_items (
    id, order_id, cart_item_id, product_id, product_name, price, color, on_chain_object_id,
    created_at
) VALUES
(
    '60000000-0000-4000-8000-000000000001', '50000000-0000-4000-8000-000000000001',
    '40000000-0000-4000-8000-000000000003', 'B01', 'Squared notebook', 1390, 'red', NULL,
    '2026-04-01 00:00:00'
),
(
    '60000000-0000-4000-8000-000000000002', '50000000-0000-4000-8000-000000000002', NULL, 'P02',
    'Pencil', 100, NULL, '0xFED', '2026-04-02 00:00:00'
);
