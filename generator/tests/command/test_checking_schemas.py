"""`check` finds nothing where a server of any kind has what the schema files say."""

import contextlib
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from postgres_testing import databases
from postgres_testing.embedded import Server
from sqlc_gen_psycopg.command import config, connecting, requests
from sqlc_gen_psycopg.command.requests import Part
from sqlc_gen_psycopg.sql import sql_files

FIRST = """
-- migrate:up
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE EXTENSION ltree;
CREATE SCHEMA shop;
CREATE DOMAIN word AS text CHECK (value <> '');
CREATE DOMAIN short_word AS word CHECK (length(value) < 10);
CREATE DOMAIN kind AS text CHECK (value IN ('a', 'b'));
CREATE DOMAIN main_kind AS kind;
CREATE DOMAIN counts AS integer[] NOT NULL;
CREATE TYPE shop.mood AS ENUM ('calm', 'cross');
CREATE TYPE shop.spot AS (place text, mood shop.mood, at timestamptz);
CREATE TABLE people (id bigint PRIMARY KEY, nm citext NOT NULL, tags hstore, place
    ltree NOT NULL, w short_word NOT NULL, k main_kind NOT NULL, c counts, price
    numeric(8,2) NOT NULL, code char(3) NOT NULL, v varchar(20) NOT NULL);
CREATE TABLE shop.events (id bigint NOT NULL, at date NOT NULL, mood shop.mood, spot
    shop.spot, moods shop.mood[] NOT NULL, grid integer[][], PRIMARY KEY (id, at))
    PARTITION BY RANGE (at);
CREATE TABLE shop.events_1 PARTITION OF shop.events FOR VALUES FROM ('2020-01-01') TO
    ('2030-01-01');
CREATE TABLE boxes (w integer NOT NULL, h integer NOT NULL, area integer GENERATED
    ALWAYS AS (w * h) STORED, doubled integer NOT NULL GENERATED ALWAYS AS (w * 2)
    STORED);
CREATE TABLE base (id integer NOT NULL, extra text);
CREATE TABLE derived (more text NOT NULL) INHERITS (base);
CREATE TABLE copied (LIKE base INCLUDING ALL, z integer NOT NULL);
-- migrate:down
DROP TABLE people;
"""
SECOND = """
-- migrate:up
ALTER TABLE people RENAME COLUMN nm TO name;
ALTER TABLE people ADD COLUMN age integer NOT NULL DEFAULT 0;
ALTER TABLE people DROP COLUMN v;
ALTER TABLE people ADD COLUMN v text NOT NULL DEFAULT '';
ALTER TABLE base ADD COLUMN late text;
CREATE MATERIALIZED VIEW sums AS SELECT k, count(*) AS n, sum(price) AS total,
    max(name) AS last FROM people GROUP BY k;
CREATE VIEW names AS SELECT name AS who, age AS how_old FROM people;
CREATE VIEW of_names AS SELECT who, how_old + 1 AS next_age FROM names WHERE who IS
    NOT NULL;
CREATE FUNCTION shop.first_of(a anyarray, b anyelement DEFAULT NULL) RETURNS
    anyelement LANGUAGE sql IMMUTABLE AS 'SELECT coalesce(a[1], b)';
CREATE FUNCTION tax(amount numeric, rate numeric DEFAULT 0.2) RETURNS numeric
    LANGUAGE sql IMMUTABLE STRICT AS 'SELECT amount * rate';
CREATE FUNCTION same(anyelement) RETURNS anyelement LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION pairs(n integer) RETURNS TABLE (a integer, b text) LANGUAGE sql AS
    'SELECT n, n::text';
CREATE FUNCTION add3(a integer, VARIADIC b integer[]) RETURNS integer LANGUAGE sql AS
    'SELECT a';
CREATE PROCEDURE nothing(x integer) LANGUAGE sql AS 'SELECT 1';
CREATE TYPE price_range AS RANGE (subtype = numeric);
CREATE TABLE offers (id integer PRIMARY KEY, r price_range NOT NULL, m
    int4multirange, d tstzrange NOT NULL, j json NOT NULL, u uuid NOT NULL DEFAULT
    gen_random_uuid(), b bit(3), bb bytea NOT NULL, arr word[] NOT NULL, p point, iv
    interval NOT NULL);
ALTER TYPE shop.mood ADD VALUE 'glad';
CREATE AGGREGATE product(numeric) (sfunc = numeric_mul, stype = numeric, initcond =
    '1');
"""
QUERIES = """
-- name: people :many
SELECT * FROM people WHERE name = @name AND place <@ @within AND tags -> @key =
    @val::text;
-- name: events :many
SELECT * FROM shop.events WHERE at > @since AND mood = @mood;
-- name: part :many
SELECT id, at, mood, spot FROM shop.events_1;
-- name: add_event :one
INSERT INTO shop.events (id, at, mood, spot, moods, grid) VALUES (@id, @at, @mood,
    @spot, @moods, @grid) RETURNING *;
-- name: boxes :many
SELECT w, h, area, doubled FROM boxes;
-- name: add_box :exec
INSERT INTO boxes (w, h) VALUES (@w, @h);
-- name: derived :many
SELECT * FROM derived;
-- name: copied :many
SELECT * FROM copied;
-- name: sums :many
SELECT * FROM sums;
-- name: names :many
SELECT who, how_old FROM names;
-- name: of_names :many
SELECT * FROM of_names;
-- name: first_moods :many
SELECT shop.first_of(moods) AS mood, shop.first_of(moods, 'calm') AS mood2 FROM
    shop.events;
-- name: taxes :many
SELECT tax(price), tax(price, @rate), same(price) AS same, same(name) AS sname,
    same(k) AS sk FROM people;
-- name: pairs :many
SELECT p.a, p.b FROM pairs(@n) AS p (a, b);
-- name: add3 :one
SELECT add3(1, @b, @c);
-- name: call_nothing :exec
CALL nothing(@x);
-- name: offers :many
SELECT * FROM offers WHERE r @> @price AND m && @m AND d @> @at;
-- name: add_person :exec
INSERT INTO people (id, name, tags, place, w, k, c, price, code, v) VALUES (@id,
    @name, @tags, @place, @w, @k, @c, @price, @code, @v);
-- name: prod :one
SELECT product(price) AS p, min(w) AS w, max(k) AS k, array_agg(k) AS ks,
    array_agg(w) AS ws FROM people;
-- name: kinds :many
SELECT k, w, k || w AS kw, coalesce(k, 'a') AS ck, CASE WHEN age > 3 THEN k ELSE 'b'
    END AS cas FROM people WHERE k IN (sqlc.slice(ks));
-- name: js :many
SELECT json_build_object('p', p, 'k', p.k) AS d, to_jsonb(p) AS e FROM people AS p;
-- name: mrg :exec
MERGE INTO copied USING base ON base.id = copied.id WHEN MATCHED THEN UPDATE SET
    extra = base.extra WHEN NOT MATCHED THEN INSERT (id, z) VALUES (base.id, 3);
-- name: change :many
UPDATE copied SET z = 1 WHERE extra IS NOT NULL RETURNING extra;
-- name: win :many
SELECT name, row_number() OVER (ORDER BY age) AS rn, lag(age) OVER (ORDER BY age) AS
    l FROM people;
-- name: rec :many
WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < @up::int)
    SELECT n FROM t;
-- name: emb :many
SELECT sqlc.embed(p), sqlc.embed(e) FROM people p LEFT JOIN shop.events e ON e.id =
    p.id;
-- name: copy_boxes :copyfrom
INSERT INTO boxes (w, h) VALUES (@w, @h);
-- name: un :many
-- @unnest
INSERT INTO boxes (w, h) VALUES (@w, @h) RETURNING area;
-- name: cat :many
SELECT relname FROM pg_catalog.pg_class WHERE relkind = 'r';
"""
CONFIG = """\
version: "2"
plugins:
  - name: psycopg
    process: {cmd: sqlc-gen-psycopg, format: json}
sql:
  - engine: postgresql
    schema: migrations
    queries: queries.sql
    codegen:
      - {plugin: psycopg, out: db, options: {narrow_by_where: true}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a project with two migrations."""
    folder = tmp_path_factory.mktemp("lived")
    (folder / "migrations").mkdir()
    files = {
        "sqlc.yaml": CONFIG,
        "migrations/001_first.sql": FIRST,
        "migrations/002_second.sql": SECOND,
        "queries.sql": QUERIES,
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def parts(folder: Path) -> list[Part]:
    """Give what sqlc asks for the project."""
    with contextlib.chdir(folder):
        return requests.read(config.read(Path("sqlc.yaml")))


@pytest.fixture(scope="module")
def template(postgres_server: Server) -> Generator[databases.Template]:
    """Give a database that is migrated."""

    def migrate(url: str) -> None:
        with psycopg.connect(url, autocommit=True) as conn:
            for text in (FIRST, SECOND):
                conn.execute(sql_files.up_part(text).encode())

    with databases.template(postgres_server.url, migrate) as made:
        yield made


# What may be done to a server without an effect on what is generated.
HARMLESS = {
    "nothing": "",
    "a table of the same name where no one looks":
        "CREATE SCHEMA other; CREATE TABLE other.people (name integer)",
    "extensions in a schema of their own":
        "CREATE SCHEMA extensions; ALTER EXTENSION citext SET SCHEMA extensions; "
        "ALTER EXTENSION hstore SET SCHEMA extensions; "
        "ALTER EXTENSION ltree SET SCHEMA extensions",
    "a table of the same name that comes later":
        "ALTER TABLE people SET SCHEMA shop; CREATE TABLE people (tags text NOT NULL)",
}  # fmt: skip


@pytest.mark.parametrize("done", HARMLESS)
def test_what_is_as_written_is_no_finding(
    done: str, folder: Path, parts: list[Part], template: databases.Template
) -> None:
    """Wherever on the search path it is, and whatever the schema files are made of."""
    with template.clone() as url:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(HARMLESS[done].encode())
        path = "shop,public,extensions" if "later" in done else "public,extensions"
        there = f"{url}&options=-c%20search_path%3D{path}"
        with contextlib.chdir(folder):
            report = connecting.check(there, parts)
    assert [*map(str, report.findings)] == []
    assert report.columns > 100


def test_a_trigger_takes_back_what_conditions_prove(
    folder: Path, parts: list[Part], template: databases.Template
) -> None:
    """What an UPDATE's condition proves of its RETURNING a trigger may change."""
    with template.clone() as url:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(
                "CREATE TRIGGER kept BEFORE UPDATE ON copied FOR EACH ROW "
                "EXECUTE FUNCTION suppress_redundant_updates_trigger()"
            )
        with contextlib.chdir(folder):
            [found] = connecting.check(url, parts).findings
    assert str(found).startswith(
        "queries.sql: change: column 'extra': generated as str, never None, "
        "but the server lets copied.extra be NULL; "
    )
