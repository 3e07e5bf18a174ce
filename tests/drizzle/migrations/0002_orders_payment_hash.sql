ALTER TABLE orders ADD COLUMN IF NOT EXISTS payment_hash varchar(255);
