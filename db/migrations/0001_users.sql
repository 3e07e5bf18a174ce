-- migrate:up

-- Sets updated_at when an update changes the row. It never moves backwards: now() is
-- the start of the transaction, which may lie before the row was last written.
CREATE FUNCTION set_updated_at() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := greatest(now(), OLD.updated_at);
    RETURN NEW;
END
$$;

CREATE DOMAIN crossmint_id AS varchar(255)
    CONSTRAINT crossmint_id_is_not_empty CHECK (VALUE <> '');
COMMENT ON DOMAIN crossmint_id IS 'An identifier that Crossmint assigned; opaque.';

CREATE DOMAIN email_address AS varchar(320)
    CONSTRAINT email_address_has_two_sides CHECK (VALUE ~ '^[^@\s]+@[^@\s]+$');
COMMENT ON DOMAIN email_address IS 'An e-mail address, as the identity provider spells it.';

CREATE DOMAIN wallet_status AS varchar(20)
    CONSTRAINT wallet_status_is_known
    CHECK (VALUE IN ('none', 'pending', 'active', 'failed'));
COMMENT ON DOMAIN wallet_status IS 'How far the provisioning of a user''s wallet is.';

CREATE DOMAIN onboarding_step AS integer
    CONSTRAINT onboarding_step_is_0_to_3 CHECK (VALUE BETWEEN 0 AND 3);
COMMENT ON DOMAIN onboarding_step IS 'The last finished onboarding step; 0 is none.';

CREATE DOMAIN sui_address AS varchar(66)
    CONSTRAINT sui_address_is_normalised CHECK (VALUE ~ '^0x[0-9a-f]{64}$');
COMMENT ON DOMAIN sui_address IS 'A Sui address: 0x and 64 lower-case hex digits.';

CREATE DOMAIN evm_address AS varchar(42)
    CONSTRAINT evm_address_is_normalised CHECK (VALUE ~ '^0x[0-9a-f]{40}$');
COMMENT ON DOMAIN evm_address IS 'An EVM address: 0x and 40 lower-case hex digits.';

CREATE TABLE users (
    id uuid NOT NULL DEFAULT gen_random_uuid() CONSTRAINT users_pkey PRIMARY KEY,
    crossmint_user_id crossmint_id NOT NULL
        CONSTRAINT users_crossmint_user_id_key UNIQUE,
    email email_address,
    wallet_address sui_address,
    crossmint_wallet_id crossmint_id,
    wallet_status wallet_status NOT NULL DEFAULT 'none',
    onboarding_step onboarding_step NOT NULL DEFAULT 0,
    display_name varchar(100),
    first_name varchar(50),
    last_name varchar(50),
    street varchar(255),
    apt varchar(50),
    city varchar(100),
    state varchar(100),
    zip varchar(20),
    country varchar(100),
    tops_size varchar(10),
    bottoms_size varchar(10),
    footwear_size varchar(10),
    evm_address evm_address,
    sui_private_key_encrypted text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_updated_after_created CHECK (updated_at >= created_at)
);
COMMENT ON TABLE users IS 'User profiles, wallet addresses and onboarding progress.';
COMMENT ON COLUMN users.crossmint_user_id IS 'The Crossmint identity; one user each.';
COMMENT ON COLUMN users.wallet_address IS 'The Sui wallet.';
COMMENT ON COLUMN users.crossmint_wallet_id IS 'Crossmint''s reference of the wallet.';
COMMENT ON COLUMN users.onboarding_step IS 'The last finished onboarding step, 0 to 3.';
COMMENT ON COLUMN users.display_name IS 'Set in onboarding step 1.';
COMMENT ON COLUMN users.first_name IS 'Set in onboarding step 2, with last_name and the shipping address.';
COMMENT ON COLUMN users.tops_size IS 'Set in onboarding step 3, with the other sizes.';
COMMENT ON COLUMN users.evm_address IS 'The EVM wallet that Crossmint provisioned.';
COMMENT ON COLUMN users.sui_private_key_encrypted IS 'The Sui private key, encrypted before it came here.';

CREATE INDEX users_email_idx ON users (email);
CREATE INDEX users_wallet_address_idx ON users (wallet_address);

CREATE TRIGGER users_set_updated_at
    BEFORE UPDATE ON users
    FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

-- migrate:down

DROP TABLE users;
DROP DOMAIN evm_address, sui_address, onboarding_step, wallet_status, email_address, crossmint_id;
DROP FUNCTION set_updated_at();
