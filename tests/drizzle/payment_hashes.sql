-- Where the third migration was applied.
UPDATE orders SET payment_hash = 'paid-' || right(crossmint_order_id, 1)
WHERE status IN ('payment_confirmed', 'in_progress', 'delivered') AND type = 'checkout'
    OR crossmint_order_id = 'crossmint-8';
