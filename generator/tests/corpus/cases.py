"""Cases as sqlc's repository has them, and what is found of a kind."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from generator.tools.corpus import collect
from generator.tools.corpus.findings import Findings, Kind
from generator.tools.corpus.generate import Generated, Workshop

SCHEMA = """
CREATE TYPE mood AS ENUM ('sad', 'so-so');
CREATE TABLE owners (id int PRIMARY KEY, name text NOT NULL, mood mood);
CREATE TABLE items (
    id int PRIMARY KEY,
    owner_id int NOT NULL REFERENCES owners,
    label text NOT NULL CHECK (label IN ('new', 'used')),
    prices numeric(8, 2)[] NOT NULL,
    note text
);
CREATE TYPE spot AS (x int, y int);
CREATE TABLE places (id int PRIMARY KEY, spot spot NOT NULL, settings jsonb NOT NULL);
"""
QUERIES = """
-- name: ListItems :many
SELECT id, label, prices, note FROM items WHERE id < $1 OR note = sqlc.narg(note);
-- name: LabelsOfOwners :many
SELECT o.name, i.label FROM owners o LEFT JOIN items i ON i.owner_id = o.id;
-- name: AddOwner :one
INSERT INTO owners (id, name, mood) VALUES ($1, $2, $3) RETURNING *;
-- name: ClearNotes :execrows
UPDATE items SET note = NULL WHERE id = ANY($1::int[]);
"""
BULK = """
-- name: AddOwners :copyfrom
INSERT INTO owners (id, name) VALUES ($1, $2);
-- name: RenameOwners :batchexec
UPDATE owners SET name = $2 WHERE id = $1;
-- name: OwnerNames :batchone
SELECT name FROM owners WHERE id = $1;
-- name: ItemsOf :batchmany
SELECT id, label FROM items WHERE owner_id = $1;
-- name: SomeLabels :many
SELECT label FROM items WHERE id IN (sqlc.slice(ids)/* ids */);
-- name: ListPlaces :many
SELECT * FROM places WHERE spot = @spot OR settings = @settings OR true;
"""
REFUSED = """
-- name: NoSuch :exec
-- @defered
DELETE FROM items;
"""
CONFIG = """
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: query.sql
    gen: {go: {out: db, query_parameter_limit: 2, emit_json_tags: true}}
"""

Flawed: TypeAlias = Callable[..., Findings]


def write_case(checkout: Path, name: str, queries: str = QUERIES) -> None:
    """Write a case as sqlc's repository has them."""
    folder = checkout / "internal/endtoend/testdata" / name
    folder.mkdir(parents=True)
    (folder / "sqlc.yaml").write_text(CONFIG)
    (folder / "schema.sql").write_text(SCHEMA)
    (folder / "query.sql").write_text(queries)


def generated_of(folder: Path, queries: str) -> Generated:
    """Generate the package of a case that is called after its folder."""
    write_case(folder, folder.name, queries)
    [case] = collect.cases(folder)
    made = Workshop(folder, "sqlc-gen-psycopg", Findings()).generate(case)
    assert made
    return made


def details(found: Findings, kind: Kind) -> list[str]:
    """List what was found of a kind, by query."""
    return [f"{finding.query}: {finding.detail}" for finding in found.of(kind)]
