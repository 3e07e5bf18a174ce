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
-- Onboarding step 1. A repeated step changes the name and takes no finished step back.
UPDATE user_profiles
SET
    display_name = @display_name::text,
    onboarding_step = greatest(onboarding_step, 1)
WHERE id = @id
RETURNING *;

-- name: set_shipping_address :one
-- Onboarding step 2; returns nothing if step 1 is not finished. The country is an ISO
-- 3166-1 alpha-2 code.
UPDATE user_profiles
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
RETURNING *;

-- name: set_sizes :one
-- Onboarding step 3; returns nothing if step 2 is not finished.
UPDATE user_profiles
SET
    tops_size = @tops_size::text,
    bottoms_size = @bottoms_size::text,
    footwear_size = @footwear_size::text,
    onboarding_step = greatest(onboarding_step, 3)
WHERE id = @id AND onboarding_step >= 2
RETURNING *;

-- name: set_email :one
-- Sets or forgets the address that the identity provider gives.
UPDATE user_profiles SET email = sqlc.narg(email) WHERE id = @id RETURNING *;

-- name: begin_wallet :one
-- Makes the wallet pending, for the first time or after a failure; returns nothing if
-- it is pending or active. Of two callers at once one gets the row, and provisions.
UPDATE user_profiles
SET wallet_status = 'pending'
WHERE id = @id AND wallet_status IN ('none', 'failed')
RETURNING *;

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
-- Begins the provisioning of a pending wallet anew, if it is pending since just this time;
-- else returns nothing. Of two callers at once one gets the row, and provisions.
UPDATE user_profiles
SET wallet_status_since = greatest(clock_timestamp(), wallet_status_since + interval '1 microsecond')
WHERE id = @id AND wallet_status = 'pending' AND wallet_status_since = @pending_since
RETURNING *;

-- name: fail_wallet :one
-- Makes a wallet failed, if it is pending since just this time; else returns nothing.
UPDATE user_profiles
SET wallet_status = 'failed'
WHERE id = @id AND wallet_status = 'pending' AND wallet_status_since = @pending_since
RETURNING *;

-- name: set_evm_address :one
-- Sets the address of the EVM wallet, in its normal form; returns nothing if the wallet is
-- active with another one.
UPDATE user_profiles
SET evm_address = @evm_address::text
WHERE
    id = @id
    AND (wallet_status <> 'active' OR evm_address IS NULL OR evm_address = @evm_address::text)
RETURNING *;
