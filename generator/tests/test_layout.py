"""Lines break where ruff would break them, however long the names are."""

import subprocess
import sys
from pathlib import Path

import pytest

from generator.tests.sqlc import Project

SCHEMA = """
CREATE TYPE {long}_kind AS ENUM ('a_{long}', 'b');
CREATE TABLE {long}_things (
    id uuid PRIMARY KEY, {long} {long}_kind, {long}_all {long}_kind [] NOT NULL,
    {long}_maybe {long}_kind [], n integer
);
"""
QUERIES = """
-- name: get_{long} :one
-- @deferred
SELECT * FROM {long}_things WHERE id = @{long};

-- name: set_{long} :execrows
-- @deferred
UPDATE {long}_things SET {long} = @{long}, {long}_maybe = @{long}_maybe, n = @n_{long}
WHERE n = ANY(@ns_{long}::integer[]);

-- name: all_{long} :many
SELECT {long}_maybe FROM {long}_things WHERE id = ANY(sqlc.narg(ids_{long})::uuid[]);

-- name: one_{long} :many
-- @deferred
SELECT n FROM {long}_things;

-- name: both_{long} :many
SELECT sqlc.embed(t), sqlc.embed(u) FROM {long}_things AS t
LEFT JOIN {long}_things AS u ON u.n = t.n;
"""


LENGTHS = range(1, 56, 5)
FILLING = ("VeryL", "VeryLon")


@pytest.fixture(scope="module")
def changes(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give what `ruff format` would change in the output of all projects."""
    folder = tmp_path_factory.mktemp("layout")
    for length in LENGTHS:
        long = ("long_name_" * 6)[:length].rstrip("_")
        _generate(
            folder / f"length_{length}",
            SCHEMA.format(long=long),
            QUERIES.format(long=long),
        )
    for more in FILLING:
        _generate(folder / f"filling_{more}", TABLE, FILLED.format(more=more))
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", "."]
    ran = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False
    )
    assert "files already formatted" in ran.stderr, ran.stderr
    return ran.stdout


def _generate(folder: Path, schema: str, queries: str) -> None:
    folder.mkdir()
    Project.write(folder, schema, queries, "{}").generated()


@pytest.mark.parametrize("length", LENGTHS)
def test_output_is_formatted(length: int, changes: str) -> None:
    """`ruff format` changes nothing, at any length of the names."""
    assert f"--- length_{length}/" not in changes


TABLE = (
    "CREATE TYPE mood AS ENUM ('a'); "
    "CREATE TABLE t (id integer NOT NULL, mood mood NOT NULL, n integer);"
)
FILLED = (
    f"-- name: {'VeryLongNames' * 5}{{more}} :many\n"
    "-- Gives these:\n--   1. one\n--      of them\n--\n--  \t2. two\n"
    "SELECT id, mood FROM t;"
)


@pytest.mark.parametrize("more", FILLING)
def test_long_names_and_lists_in_comments(more: str, changes: str) -> None:
    """Names that fill a line alone, and comments that are indented after a colon."""
    assert f"--- filling_{more}/" not in changes
