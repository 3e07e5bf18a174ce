"""What can be chosen together: options, and a project with every kind of result."""

from typing import Any, NamedTuple

SCHEMA = """
CREATE SCHEMA shop;
CREATE EXTENSION hstore;
CREATE TYPE mood AS ENUM ('calm', 'cross');
CREATE DOMAIN status AS text CHECK (value IN ('open', 'paid'));
CREATE TYPE spot AS (place text, moods mood[], mood mood);
CREATE TYPE voltage AS RANGE (subtype = float8);
CREATE TABLE users (
    id integer PRIMARY KEY, name text NOT NULL, mood mood, moods mood[] NOT NULL,
    status status NOT NULL, spot spot, kept jsonb NOT NULL, note text,
    volts voltage, tags hstore, made_at timestamptz NOT NULL
);
COMMENT ON TABLE users IS 'Who is here.';
COMMENT ON COLUMN users.note IS 'May come
later.';
CREATE TABLE shop.lines (
    id integer PRIMARY KEY, user_id integer NOT NULL REFERENCES users,
    price numeric NOT NULL, spots spot[] NOT NULL, mood mood
);
CREATE VIEW user_data AS
SELECT
    u.id, CASE WHEN u.id > 1 THEN 'many' ELSE 'one' END AS size,
    json_build_object('name', u.name, 'moods', u.moods, 'spot', u.spot) AS data,
    (SELECT json_agg(l) FROM shop.lines AS l WHERE l.user_id = u.id) AS lines
FROM users AS u;
"""
ROWS = """
INSERT INTO users VALUES (
    1, 'Ada', 'calm', '{calm}', 'open', ('here', '{cross}', 'calm'), '{"a": 1}',
    'noted', '[0, 2)', 'a=>1', now()
);
INSERT INTO shop.lines
VALUES (2, 1, 1.5, ARRAY[('here', '{cross}', 'calm')]::spot[], 'calm');
"""
QUERIES = """
-- name: put_user :one
-- Puts a user.
-- @name: what to call them
INSERT INTO users (
    id, name, mood, moods, status, spot, kept, note, volts, tags, made_at
) VALUES (
    @id, @name, @mood, @moods, @status, @spot, @kept, @note, @volts, @tags, @made_at
) ON CONFLICT (id) DO UPDATE SET name = excluded.name RETURNING *;
-- name: put_line :exec
INSERT INTO shop.lines (id, user_id, price, spots, mood)
VALUES (@id, @user_id, @price, @spots, @mood);
-- name: list_users :many
-- @stream
-- @deferred
SELECT * FROM users;
-- name: get_user_data :one
-- @deferred
SELECT * FROM user_data WHERE id = @id;
-- name: list_user_data :many
-- @row Sized
-- @stream
SELECT id, data, size FROM user_data;
-- name: list_user_data_again :many
-- @row Sized
SELECT id, data, size FROM user_data ORDER BY id;
-- name: list_data :many
-- @stream
-- @deferred
SELECT data FROM user_data;
-- name: list_sizes :many
-- @stream
-- @deferred
SELECT size FROM user_data;
-- name: list_both :many
SELECT sqlc.embed(u), sqlc.embed(l)
FROM users AS u LEFT JOIN shop.lines AS l ON l.user_id = u.id
WHERE u.note IS NOT NULL AND l.mood IS NOT NULL;
-- name: noted :many
-- @stream
SELECT id, note, mood, spot FROM users
WHERE note = @note AND mood = @mood AND spot IS NOT NULL;
-- name: whole_noted :many
SELECT * FROM users WHERE note LIKE @pattern;
-- name: add_lines :many
-- @unnest
INSERT INTO shop.lines (id, user_id, price, mood, spots)
VALUES (@id, @user_id, @price, @mood, '{}') RETURNING *;
-- name: add_some :many
-- @unnest
-- @row Some
-- @deferred
INSERT INTO shop.lines (id, user_id, price, mood, spots)
VALUES (@id, @user_id, @price, @mood, '{}')
RETURNING id, mood, json_build_object('price', price) AS made;
-- name: list_some :many
-- @row Some
-- @stream
SELECT id, mood, json_build_object('price', price) AS made FROM shop.lines;
-- name: copy_lines :copyfrom
INSERT INTO shop.lines (id, user_id, price, spots, mood)
VALUES (@id, @user_id, @price, @spots, @mood);
-- name: drop_lines :execrows
-- @deferred
DELETE FROM shop.lines;
-- name: set_moods :batchexec
UPDATE users SET mood = @mood, note = @note WHERE id = @id;
-- name: moods_of :batchmany
SELECT id, mood, moods FROM users WHERE id = @id AND mood = @mood;
-- name: one_of :batchone
SELECT sqlc.embed(users), 'x' AS kind FROM users WHERE id = @id;
-- name: data_of :batchone
SELECT data FROM user_data WHERE id = @id;
-- name: with_kind :many
SELECT u.id, k.kind
FROM users AS u CROSS JOIN (SELECT 'a' AS kind UNION ALL SELECT 'b') AS k
WHERE k.kind = @kind::text;
-- name: grouped :many
-- @notnull moods[]
SELECT
    status, array_agg(mood) AS moods, json_object_agg(id, mood) AS by_id,
    json_agg(json_build_object('spot', spot, 'status', status)) AS spots
FROM users WHERE mood IS NOT NULL GROUP BY status;
-- name: search :many
SELECT id, note FROM users
WHERE (sqlc.narg(note)::text IS NULL OR note = sqlc.narg(note))
AND mood = ANY(@moods::mood[]) AND status IN (sqlc.slice(statuses))
AND spot IS NOT DISTINCT FROM sqlc.narg(spot)::spot;
-- name: search_again :many
SELECT id, note FROM users ORDER BY id;
-- name: change :execresult
UPDATE users SET kept = @kept, mood = sqlc.narg(mood), spot = @spot
WHERE id = @id AND note = @note RETURNING id, mood, spot;
-- name: change_data :execresult
UPDATE users SET note = @note RETURNING json_build_object('note', note);
-- name: count_users :one
SELECT count(*) FROM users WHERE tags = @tags OR volts && @volts OR kept = @kept;
-- name: volts_of :many
-- @deferred
SELECT volts FROM users WHERE volts IS NOT NULL;
-- name: spot_of :one
-- @exactly-one
SELECT spot FROM users WHERE id = @id;
-- name: price_stats :many
SELECT user_id, jsonb_agg(price) AS prices, 'sum' AS kind, sum(price) AS total
FROM shop.lines GROUP BY user_id;
-- name: price_stats_again :many
SELECT user_id, jsonb_agg(price) AS prices, 'sum' AS kind, sum(price) AS total
FROM shop.lines GROUP BY user_id ORDER BY user_id;
"""
TITLES = '''\
"""Values of users' own."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Title:
    text: str


def dumped(title: Title) -> str:
    return title.text
'''
OF_USERS = {
    "column": "users.name",
    "py_type": "titles:Title",
    "to_db": "titles:dumped",
}
RENAMED = {"note": "remark", "users": "person", "mood": "humour", "id": "key"}


def _switch(**options: object) -> tuple[dict[str, object], ...]:
    return ({}, options)


# What can be chosen; of each two choices all combinations are generated.
CHOICES: tuple[tuple[dict[str, object], ...], ...] = (
    _switch(model_kind="pydantic"),
    ({}, {"emit_async": False}, {"emit_sync": False}),
    ({}, {"query_parameter_limit": 0}, {"query_parameter_limit": 2}),
    _switch(models_package="base"),
    _switch(rename=RENAMED),
    _switch(overrides=[OF_USERS]),
    _switch(not_null=["spot.mood"]),
    _switch(emit_none_defaults=True),
    _switch(emit_querier=True),
    _switch(emit_frozen_models=True),
    _switch(emit_open_enums=True),
    _switch(emit_shared_rows=True),
    _switch(narrow_by_where=True),
    _switch(emit_exact_table_names=True),
    _switch(omit_unused_models=False),
)


class Made(NamedTuple):
    """A package, and the one that has its classes, which may be itself."""

    name: str
    base: str
    options: dict[str, Any]
