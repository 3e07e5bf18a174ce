-- migrate:up
CREATE DOMAIN wallet_status AS varchar(20)
CHECK (value IN ('none', 'pending', 'active', 'failed'));
COMMENT ON DOMAIN wallet_status IS 'How far a wallet is.';

CREATE DOMAIN percentage AS integer CHECK (value BETWEEN 0 AND 100);
CREATE DOMAIN tags AS text [];

CREATE TYPE mood AS ENUM ('sad', 'so-so', '+', 'ÖK', '1st', 'None', '', '"quoted"');

CREATE TABLE users (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email varchar(320),
    nickname text,
    wallet_status wallet_status NOT NULL DEFAULT 'none',
    former_statuses wallet_status [] NOT NULL DEFAULT '{}',
    moods mood [],
    discount percentage,
    tags tags,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE users IS 'People who buy.';
COMMENT ON COLUMN users.email IS 'As they typed it, "quotes" and \backslashes included.';

CREATE TABLE order_items (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id uuid NOT NULL REFERENCES users (id),
    price integer NOT NULL,
    small smallint,
    amount numeric,
    weight double precision,
    parts jsonb NOT NULL DEFAULT '[]',
    extra json,
    "class" text NOT NULL DEFAULT '',
    "from" date,
    "userName" text,
    "weird name!" text,
    str text,
    datetime timestamp,
    ip inet,
    blob bytea,
    quantities integer [],
    grid integer [] [],
    mood mood
);

CREATE SCHEMA audit;
CREATE TABLE audit.events (
    id integer PRIMARY KEY,
    kind text NOT NULL,
    took interval,
    at time,
    ok boolean
);

CREATE TABLE settings (key text, value text);

CREATE VIEW user_totals AS
SELECT users.id, users.email, sum(order_items.price) AS total
FROM users
LEFT JOIN order_items ON order_items.user_id = users.id
GROUP BY users.id;

-- migrate:down
DROP VIEW user_totals;
DROP TABLE settings;
DROP SCHEMA audit CASCADE;
DROP TABLE order_items;
DROP TABLE users;
DROP TYPE mood;
DROP DOMAIN tags;
DROP DOMAIN percentage;
DROP DOMAIN wallet_status;
