"""Names are valid, predictable and out of each other's way."""

import ast
import builtins
import keyword
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generator.tests import running, sqlc
from sqlc_gen_psycopg.naming import identifiers, inflection


@given(st.text())
def test_every_name_becomes_an_identifier(text: str) -> None:
    """Whatever SQL calls it, Python can."""
    for made in (
        identifiers.snake(text),
        identifiers.pascal(text),
        identifiers.member(text),
    ):
        assert made.isidentifier()
        assert not keyword.iskeyword(made)


@given(st.lists(st.sampled_from(["id", "id_2", "x", "id_"])))
def test_distinct_names_are_distinct(given_names: list[str]) -> None:
    """Equal names are told apart, the first keeping its own."""
    made = identifiers.distinct(given_names)
    assert len(set(made)) == len(given_names)
    assert made[:1] == given_names[:1]


SNAKE = {
    "GetUser": "get_user",
    "get_user": "get_user",
    "getHTTPCode2": "get_http_code2",
    "userName": "user_name",
    "GetUsersByIDs": "get_users_by_ids",
    "listURLsOfIDs": "list_urls_of_ids",
    "getIDString": "get_id_string",
    "weird name!": "weird_name",
    "class": "class_",
    "1st": "n1st",
    "größe": "größe",
    "_hidden": "_hidden",
    "": "value",
    "!": "value",
}


@pytest.mark.parametrize("name", SNAKE)
def test_snake(name: str) -> None:
    """Words are split at case changes and odd characters."""
    assert identifiers.snake(name) == SNAKE[name]


SINGULAR = {
    "users": "user",
    "order_items": "order_item",
    "categories": "category",
    "addresses": "address",
    "statuses": "status",
    "boxes": "box",
    "branches": "branch",
    "people": "person",
    "news": "news",
    "status": "status",
    "user_data": "user_data",
    "houses": "house",
    "databases": "database",
    "Users": "User",
}


@pytest.mark.parametrize("plural", SINGULAR)
def test_singular(plural: str) -> None:
    """A table's model is called after one of its rows."""
    assert inflection.singular(plural) == SINGULAR[plural]


MEMBERS = {
    "in-progress": "IN_PROGRESS",
    "+": "PLUS_SIGN",
    "": "EMPTY",
    "1": "VALUE_1",
    "+1": "PLUS_1",
    "-1": "MINUS_1",
}


@pytest.mark.parametrize("label", MEMBERS)
def test_member(label: str) -> None:
    """Labels of symbols are spelled out."""
    assert identifiers.member(label) == MEMBERS[label]


def test_reserved_names_hold_all_builtins_that_annotations_use() -> None:
    """A field named like a built-in type would hide it from the next field."""
    used = {"bool", "bytes", "dict", "float", "int", "list", "object", "str"}
    assert used <= identifiers.FIELDS & set(dir(builtins))


SCHEMA = """
CREATE TYPE mood AS ENUM ('+1', '-1');
CREATE TYPE pair AS (a integer, b text);
CREATE TABLE users (
    id integer NOT NULL, small smallint NOT NULL, big bigint NOT NULL, oid oid NOT NULL,
    mood mood NOT NULL, moods mood [] NOT NULL, pair pair, doc jsonb NOT NULL,
    ip inet NOT NULL, at timestamptz NOT NULL, uid uuid NOT NULL, n numeric NOT NULL,
    f real NOT NULL, d double precision NOT NULL, span int4range NOT NULL
);
"""
# With all helpers that a module has, and all that it imports.
USING_ALL = """
-- name: first_count :one
SELECT count(*) FROM users;
-- name: first_user :one
SELECT * FROM users WHERE id = @id AND small = @small AND big = @big AND oid = @oid
AND mood = @mood AND pair = @pair AND doc = @doc AND ip = @ip AND at = @at
AND uid = @uid AND n = @n AND f = @f AND d = @d AND span = @span;
-- name: first_moods :many
-- @stream
SELECT moods FROM users;
-- name: first_ids :many
-- @deferred
SELECT id, small FROM users;
-- name: first_change :execrows
-- @deferred
DELETE FROM users;
-- name: first_batch :batchexec
UPDATE users SET id = @id WHERE small = @small;
-- name: first_results :batchmany
SELECT big, small FROM users WHERE id = @id;
-- name: first_copy :copyfrom
INSERT INTO users (id, at) VALUES (@id, @at);
-- name: first_result :execresult
DELETE FROM users WHERE id = @id;
"""


def _imported(text: str) -> set[str]:
    nodes = ast.walk(ast.parse(text))
    found = [n for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)]
    return {alias.asname or alias.name for node in found for alias in node.names}


def test_a_query_may_have_any_name(tmp_path: Path, bulk: psycopg.Connection) -> None:
    """Named as what Python has, or what the module imports, queries work."""
    folder = tmp_path / "first"
    folder.mkdir()
    project = sqlc.Project.write(folder, SCHEMA, USING_ALL, "{}")
    first = project.generated()
    known = {*dir(builtins), *keyword.kwlist, *keyword.softkwlist}
    for text in first.values():
        known |= _imported(text)
        defined = [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)]
        known |= {function.name for function in defined}
    # Two of one spelling, but for capitals, are refused.
    spelled = {name.lower(): name for name in known if not name.startswith("_")}
    names = sorted(name for name in spelled.values() if "first_" not in name.lower())
    assert len(names) > 200
    one = "-- name: {} :one\nSELECT id, mood FROM users LIMIT 1;"
    queries = USING_ALL + "\n".join(map(one.format, names))
    with running.project(tmp_path, "named", SCHEMA, queries) as (module, found):
        checked = subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", "named"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert checked.returncode == 0, checked.stdout[-2000:]
        assert len(found) >= len(names)
        running.fill(bulk, SCHEMA, "")
        assert module.first_count(bulk) == 0
        assert module.first_change(bulk) == 0
        assert module.first_batch(bulk, rows=[]) is None
        assert module.first_results(bulk, rows=[1]) == [[]]
        assert module.len_(bulk) is None
