-- name: create_user :one
-- Creates the user of a Crossmint identity, or returns the one that exists, unchanged.
-- Safe to call twice at once: the unique identity decides.
INSERT INTO users (crossmint_user_id, email)
VALUES (@crossmint_user_id, sqlc.narg(email))
ON CONFLICT (crossmint_user_id) DO UPDATE SET crossmint_user_id = excluded.crossmint_user_id
RETURNING *;

-- name: get_user :one
-- Returns the user with this id.
SELECT * FROM users WHERE id = @id;

-- name: get_user_by_crossmint_user_id :one
-- Returns the user of a Crossmint identity.
SELECT * FROM users WHERE crossmint_user_id = @crossmint_user_id;

-- name: set_display_name :one
-- Onboarding step 1. A repeated step changes the name and takes no finished step back.
UPDATE users
SET
    display_name = @display_name::text,
    onboarding_step = greatest(onboarding_step, 1)
WHERE id = @id
RETURNING *;

-- name: set_shipping_address :one
-- Onboarding step 2; returns nothing if step 1 is not finished.
UPDATE users
SET
    first_name = @first_name::text,
    last_name = @last_name::text,
    street = @street::text,
    apt = sqlc.narg(apt),
    city = @city::text,
    state = @state::text,
    zip = @zip::text,
    country = @country::text,
    onboarding_step = greatest(onboarding_step, 2)
WHERE id = @id AND onboarding_step >= 1
RETURNING *;

-- name: set_sizes :one
-- Onboarding step 3; returns nothing if step 2 is not finished.
UPDATE users
SET
    tops_size = @tops_size::text,
    bottoms_size = @bottoms_size::text,
    footwear_size = @footwear_size::text,
    onboarding_step = greatest(onboarding_step, 3)
WHERE id = @id AND onboarding_step >= 2
RETURNING *;
