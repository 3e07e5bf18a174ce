-- name: get_user :one
-- Returns the user with this id.
SELECT * FROM user_profiles WHERE id = @id;

-- name: get_user_by_crossmint_user_id :one
-- Returns the user of a Crossmint identity; a read that locks nothing.

-- Not scoped by user: the identity provider has said who it is.
SELECT * FROM user_profiles WHERE crossmint_user_id = @crossmint_user_id;

-- name: list_users_by_email :many
-- Lists the users with this e-mail address, as they spell it, the eldest first.

-- Reads users_email_idx.
-- Not scoped by user: an e-mail address may be that of several.
SELECT *
FROM user_profiles
WHERE email = @email::text
ORDER BY created_at, id
LIMIT @max_rows;

-- name: list_users_by_wallet_address :many
-- Lists the users of a Sui wallet, given in its normal form, the eldest first.

-- Reads users_wallet_address_idx.
-- Not scoped by user: a wallet may be that of several.
SELECT *
FROM user_profiles
WHERE wallet_address = @wallet_address::text
ORDER BY created_at, id
LIMIT @max_rows;

-- name: list_users_by_evm_address :many
-- Lists the users of an EVM wallet, given in its normal form, the eldest first.

-- Reads users_evm_address_idx.
-- Not scoped by user: a wallet may be that of several.
SELECT *
FROM user_profiles
WHERE evm_address = @evm_address::text
ORDER BY created_at, id
LIMIT @max_rows;

-- name: set_display_name :one
-- @row UserProfile
-- Onboarding step 1. A repeated step changes the name and takes no finished step back.
UPDATE users
SET
    display_name = @display_name::text,
    onboarding_step = greatest(onboarding_step, 1)
WHERE id = @id
RETURNING
    id, crossmint_user_id, email, wallet_address, crossmint_wallet_id, wallet_status,
    wallet_status_since, onboarding_step, display_name, first_name, last_name,
    street, apt, city, state, zip, country, tops_size, bottoms_size, footwear_size,
    evm_address, created_at, updated_at,
    sui_private_key_encrypted IS NOT NULL AS has_sui_private_key;

-- name: set_shipping_address :one
-- @row UserProfile
-- Onboarding step 2; returns nothing if step 1 is not finished. The country is an ISO
-- 3166-1 alpha-2 code.
UPDATE users
SET
    first_name = @first_name::text,
    last_name = @last_name::text,
    street = @street::text,
    apt = sqlc.narg(apt),
    city = @city::text,
    state = sqlc.narg(state),
    zip = @zip::text,
    country = @country::text,
    onboarding_step = greatest(onboarding_step, 2)
WHERE id = @id AND onboarding_step >= 1
RETURNING
    id, crossmint_user_id, email, wallet_address, crossmint_wallet_id, wallet_status,
    wallet_status_since, onboarding_step, display_name, first_name, last_name,
    street, apt, city, state, zip, country, tops_size, bottoms_size, footwear_size,
    evm_address, created_at, updated_at,
    sui_private_key_encrypted IS NOT NULL AS has_sui_private_key;

-- name: set_sizes :one
-- @row UserProfile
-- Onboarding step 3; returns nothing if step 2 is not finished.
UPDATE users
SET
    tops_size = @tops_size::text,
    bottoms_size = @bottoms_size::text,
    footwear_size = @footwear_size::text,
    onboarding_step = greatest(onboarding_step, 3)
WHERE id = @id AND onboarding_step >= 2
RETURNING
    id, crossmint_user_id, email, wallet_address, crossmint_wallet_id, wallet_status,
    wallet_status_since, onboarding_step, display_name, first_name, last_name,
    street, apt, city, state, zip, country, tops_size, bottoms_size, footwear_size,
    evm_address, created_at, updated_at,
    sui_private_key_encrypted IS NOT NULL AS has_sui_private_key;

-- name: set_email :one
-- @row UserProfile
-- Sets or forgets the address that the identity provider gives.
UPDATE users SET email = sqlc.narg(email) WHERE id = @id
RETURNING
    id, crossmint_user_id, email, wallet_address, crossmint_wallet_id, wallet_status,
    wallet_status_since, onboarding_step, display_name, first_name, last_name,
    street, apt, city, state, zip, country, tops_size, bottoms_size, footwear_size,
    evm_address, created_at, updated_at,
    sui_private_key_encrypted IS NOT NULL AS has_sui_private_key;

-- name: begin_wallet :one
-- @row UserProfile
-- Makes the wallet pending, for the first time or after a failure; returns nothing if
-- it is pending or active. Of two callers at once one gets the row, and provisions.
UPDATE users
SET wallet_status = 'pending'
WHERE id = @id AND wallet_status IN ('none', 'failed')
RETURNING
    id, crossmint_user_id, email, wallet_address, crossmint_wallet_id, wallet_status,
    wallet_status_since, onboarding_step, display_name, first_name, last_name,
    street, apt, city, state, zip, country, tops_size, bottoms_size, footwear_size,
    evm_address, created_at, updated_at,
    sui_private_key_encrypted IS NOT NULL AS has_sui_private_key;

-- name: list_pending_wallets :many
-- Lists the users whose wallet is pending since longer than a time, the longest first.

-- Reads users_pending_wallets_idx.
-- Not scoped by user: a worker looks for those of all whose provisioning hangs.
SELECT *
FROM user_profiles
WHERE wallet_status = 'pending' AND wallet_status_since < now() - @older_than::interval
ORDER BY wallet_status_since, id
LIMIT @max_rows;

-- name: retry_wallet :one
-- @row UserProfile
-- Begins the provisioning of a pending wallet anew, if it is pending since just this time;
-- else returns nothing. Of two callers at once one gets the row, and provisions.
UPDATE users
SET
    wallet_status_since = greatest(
        statement_timestamp(), sqlc.arg(pending_since)::timestamptz + interval '1 microsecond'
    )
WHERE id = @id AND wallet_status = 'pending' AND wallet_status_since = @pending_since
RETURNING
    id, crossmint_user_id, email, wallet_address, crossmint_wallet_id, wallet_status,
    wallet_status_since, onboarding_step, display_name, first_name, last_name,
    street, apt, city, state, zip, country, tops_size, bottoms_size, footwear_size,
    evm_address, created_at, updated_at,
    sui_private_key_encrypted IS NOT NULL AS has_sui_private_key;

-- name: fail_wallet :one
-- @row UserProfile
-- Makes a wallet failed, if it is pending since just this time; else returns nothing.
UPDATE users
SET wallet_status = 'failed'
WHERE id = @id AND wallet_status = 'pending' AND wallet_status_since = @pending_since
RETURNING
    id, crossmint_user_id, email, wallet_address, crossmint_wallet_id, wallet_status,
    wallet_status_since, onboarding_step, display_name, first_name, last_name,
    street, apt, city, state, zip, country, tops_size, bottoms_size, footwear_size,
    evm_address, created_at, updated_at,
    sui_private_key_encrypted IS NOT NULL AS has_sui_private_key;

-- name: set_evm_address :one
-- @row UserProfile
-- Sets the address of the EVM wallet, in its normal form; returns nothing if the wallet is
-- active with another one.
UPDATE users
SET evm_address = @evm_address::text
WHERE
    id = @id
    AND (wallet_status <> 'active' OR evm_address IS NULL OR evm_address = @evm_address::text)
RETURNING
    id, crossmint_user_id, email, wallet_address, crossmint_wallet_id, wallet_status,
    wallet_status_since, onboarding_step, display_name, first_name, last_name,
    street, apt, city, state, zip, country, tops_size, bottoms_size, footwear_size,
    evm_address, created_at, updated_at,
    sui_private_key_encrypted IS NOT NULL AS has_sui_private_key;
