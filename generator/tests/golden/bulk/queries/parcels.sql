-- name: copy_parcels :copyfrom
-- Sends parcels in binary.
INSERT INTO parcels (
    id, "to", note, colour, shade, weight, size, parts, sent, labels, ref, blob, code
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- name: copy_loads :copyfrom
INSERT INTO loads (code, colours, shades, search) VALUES ($4, $3, $2, $1);

-- name: copy_codes :copyfrom
INSERT INTO loads (code) VALUES (@code);

-- name: add_parcel :one
-- Takes more parameters than the limit.
INSERT INTO parcels (id, "to", note, labels) VALUES (@id, @rcpt, @note, @labels) RETURNING *;

-- name: add_parcels :batchone
INSERT INTO parcels (id, "to") VALUES (@id, @rcpt) RETURNING *;

-- name: annotate :batchexec
-- Writes the notes of many parcels.
UPDATE parcels SET note = @note WHERE id = @id;

-- name: take :batchone
DELETE FROM parcels WHERE id = @id RETURNING note;

-- name: list_to :batchmany
SELECT id, note FROM parcels WHERE "to" = @rcpt ORDER BY id;

-- name: address :execresult
UPDATE parcels SET "to" = @rcpt WHERE id = ANY(@ids::integer []);

-- name: readdress :execresult
UPDATE parcels SET "to" = @rcpt WHERE "to" = @old RETURNING id;

-- name: among :many
SELECT id FROM parcels
WHERE id IN (sqlc.slice(ids)) AND "to" NOT  in ( sqlc.slice('others') )
    OR NOT note IN (sqlc.slice('notes')) OR note IN (sqlc.slice(notes))
ORDER BY id;

-- name: all_parcels :many
-- @stream
SELECT * FROM parcels ORDER BY id;

-- name: notes_to :many
-- @stream
SELECT note FROM parcels WHERE "to" = @rcpt AND id > @fetch_size ORDER BY id;

-- name: count_parcels :one
-- @deferred
SELECT count(*) FROM parcels;

-- name: heaviest :one
SELECT max(weight) AS most, count(*) FILTER (WHERE note IS NULL) AS bare FROM parcels;

-- name: has_parcel :one
SELECT exists(SELECT 1 FROM parcels WHERE id = @id);

-- name: the_parcel_to :one
-- @exactly-one
SELECT * FROM parcels WHERE "to" = @rcpt;

-- name: note_of :one
-- @exactly-one
SELECT note FROM parcels WHERE id = @id;
