-- migrate:up

SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', TRUE);

-- The table has one row a user: it is rewritten once, with its indexes, and locked meanwhile.
-- squawk-ignore-file changing-column-type, adding-not-nullable-field, require-concurrent-index-creation
-- squawk-ignore-file ban-drop-constraint, ban-alter-domain-with-add-constraint

-- What the identity provider gives is not ours to check.
ALTER DOMAIN email_address DROP CONSTRAINT email_address_has_two_sides;
ALTER DOMAIN email_address ADD CONSTRAINT email_address_is_not_empty CHECK (VALUE <> '');

CREATE DOMAIN country_code AS varchar(2)
    CONSTRAINT country_code_is_two_letters CHECK (VALUE ~ '^[A-Z]{2}$');
COMMENT ON DOMAIN country_code IS 'A country: ISO 3166-1 alpha-2, in capitals.';

-- No key in the open, in any spelling of Sui's own tools, not even in base64 or hex: bech32
-- (suiprivkey1), 32 bytes or a flag and 32 bytes in hex or base64, and words. Says not which
-- form a token has: that is known to who encrypts.
CREATE DOMAIN encrypted_key AS text
    CONSTRAINT encrypted_key_is_not_plain CHECK (
        VALUE !~* '(suiprivkey|737569707269766b6579)'
        AND VALUE !~ '^\s*c3VpcHJpdmtleT'
        AND VALUE !~* '^\s*(0x)?([0-9a-f]{64}|[0-9a-f]{66})\s*$'
        AND VALUE !~ '^\s*[A-Za-z0-9+/_-]{43,44}=?\s*$'
        AND VALUE !~* '^\s*([a-z]+\s+){11,}[a-z]+\s*$'
    );
COMMENT ON DOMAIN encrypted_key IS 'A Sui private key, encrypted.';

-- Changed by their types, not by an UPDATE, which would move updated_at. A country that is
-- no code becomes NULL: Crossmint takes codes alone, so it was of no use.
ALTER TABLE users ADD COLUMN wallet_status_since timestamptz;
ALTER TABLE users
    ALTER COLUMN wallet_status_since TYPE timestamptz USING updated_at,
    ALTER COLUMN wallet_status_since SET DEFAULT now(),
    ALTER COLUMN wallet_status_since SET NOT NULL,
    ALTER COLUMN street TYPE varchar(200),
    ALTER COLUMN country TYPE country_code USING CASE
        WHEN upper(btrim(country)) ~ '^[A-Z]{2}$' THEN upper(btrim(country))
    END,
    ALTER COLUMN sui_private_key_encrypted TYPE encrypted_key;
COMMENT ON COLUMN users.wallet_status_since IS 'When the wallet came to its status.';
COMMENT ON COLUMN users.state IS 'Of the shipping address; many countries have none.';

-- Never backwards: now() is the start of the transaction.
CREATE FUNCTION set_wallet_status_since() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.wallet_status_since := greatest(now(), OLD.wallet_status_since);
    RETURN NEW;
END
$$;

CREATE TRIGGER users_set_wallet_status_since
    BEFORE UPDATE OF wallet_status ON users
    FOR EACH ROW WHEN (OLD.wallet_status IS DISTINCT FROM NEW.wallet_status)
    EXECUTE FUNCTION set_wallet_status_since();

CREATE INDEX users_pending_wallets_idx ON users (wallet_status_since, id)
    WHERE wallet_status = 'pending';
COMMENT ON INDEX users_pending_wallets_idx IS 'Finds the wallets whose provisioning hangs, the longest first.';
CREATE INDEX users_evm_address_idx ON users (evm_address);
COMMENT ON INDEX users_evm_address_idx IS 'Finds the users of an EVM wallet.';

-- What queries read and return in place of users. PostgreSQL writes through it, too.
CREATE VIEW user_profiles AS
SELECT
    id,
    crossmint_user_id,
    email,
    wallet_address,
    crossmint_wallet_id,
    wallet_status,
    wallet_status_since,
    onboarding_step,
    display_name,
    first_name,
    last_name,
    street,
    apt,
    city,
    state,
    zip,
    country,
    tops_size,
    bottoms_size,
    footwear_size,
    evm_address,
    created_at,
    updated_at,
    sui_private_key_encrypted IS NOT NULL AS has_sui_private_key
FROM users;
COMMENT ON VIEW user_profiles IS 'The users, without their encrypted keys.';
COMMENT ON COLUMN user_profiles.crossmint_user_id IS 'The Crossmint identity; one user each.';
COMMENT ON COLUMN user_profiles.wallet_address IS 'The Sui wallet.';
COMMENT ON COLUMN user_profiles.crossmint_wallet_id IS 'Crossmint''s reference of the wallet.';
COMMENT ON COLUMN user_profiles.wallet_status_since IS 'When the wallet came to its status.';
COMMENT ON COLUMN user_profiles.onboarding_step IS 'The last finished onboarding step, 0 to 3.';
COMMENT ON COLUMN user_profiles.display_name IS 'Set in onboarding step 1.';
COMMENT ON COLUMN user_profiles.first_name IS 'Set in onboarding step 2, with last_name and the shipping address.';
COMMENT ON COLUMN user_profiles.state IS 'Of the shipping address; many countries have none.';
COMMENT ON COLUMN user_profiles.tops_size IS 'Set in onboarding step 3, with the other sizes.';
COMMENT ON COLUMN user_profiles.evm_address IS 'The EVM wallet that Crossmint provisioned.';
COMMENT ON COLUMN user_profiles.has_sui_private_key IS 'Whether the store keeps the wallet''s key.';

-- migrate:down

DROP VIEW user_profiles;
DROP INDEX users_evm_address_idx, users_pending_wallets_idx;
DROP TRIGGER users_set_wallet_status_since ON users;
DROP FUNCTION set_wallet_status_since();
COMMENT ON COLUMN users.state IS NULL;
-- An e-mail address that would break the former rule becomes NULL.
ALTER TABLE users
    DROP COLUMN wallet_status_since,
    ALTER COLUMN email TYPE email_address USING CASE
        WHEN email ~ '^[^@\s]+@[^@\s]+$' THEN email
    END,
    ALTER COLUMN street TYPE varchar(255),
    ALTER COLUMN country TYPE varchar(100),
    ALTER COLUMN sui_private_key_encrypted TYPE text;
DROP DOMAIN encrypted_key, country_code;
ALTER DOMAIN email_address DROP CONSTRAINT email_address_is_not_empty;
ALTER DOMAIN email_address ADD CONSTRAINT email_address_has_two_sides
    CHECK (VALUE ~ '^[^@\s]+@[^@\s]+$');
