"""Lines break where ruff would break them, however long the names are."""

import subprocess
import sys
from collections.abc import Callable

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


@pytest.mark.parametrize("length", range(1, 56, 5))
def test_output_is_formatted(length: int, project: Callable[..., Project]) -> None:
    """`ruff format` changes nothing, at any length of the names."""
    long = ("long_name_" * 6)[:length].rstrip("_")
    made = project(SCHEMA.format(long=long), QUERIES.format(long=long))
    assert _changes(made) == ""


@pytest.mark.parametrize("more", ["VeryL", "VeryLon"])
def test_long_names_and_lists_in_comments(
    more: str, project: Callable[..., Project]
) -> None:
    """Names that fill a line alone, and comments that are indented after a colon."""
    schema = (
        "CREATE TYPE mood AS ENUM ('a'); "
        "CREATE TABLE t (id integer NOT NULL, mood mood NOT NULL, n integer);"
    )
    queries = (
        f"-- name: {'VeryLongNames' * 5}{more} :many\n"
        "-- Gives these:\n--   1. one\n--      of them\n--\n--  \t2. two\n"
        "SELECT id, mood FROM t;"
    )
    assert _changes(project(schema, queries)) == ""


def _changes(made: Project) -> str:
    """Return what `ruff format` would change in the output."""
    made.generated()
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--diff", "out"]
    ran = subprocess.run(
        command, cwd=made.folder, capture_output=True, text=True, check=False
    )
    return ran.stdout
