"""What is said of elements and attributes holds both ways, on a real server."""

from collections.abc import Generator
from types import ModuleType

import psycopg
import pytest

from generator.tests import running, sqlc
from generator.tools import annotations
from postgres_testing import databases
from postgres_testing.embedded import Server

SCHEMA = """
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE parcel AS (weight integer, moods mood [], note text);
CREATE TABLE things (
    id integer PRIMARY KEY, moods mood [] NOT NULL, grid integer [] [],
    parcel parcel NOT NULL
);
"""
QUERIES = """
-- name: put :one
-- @notnull moods[] grid[]
INSERT INTO things (id, moods, grid, parcel) VALUES (@id, @moods, @grid, @parcel)
RETURNING moods, grid, parcel, to_json(parcel) AS form;
-- name: among :many
-- @notnull ids[]
SELECT * FROM things WHERE id = ANY(@ids::int[]);
-- name: labels :one
-- @notnull labels[]
SELECT moods AS labels FROM things;
-- name: fill :copyfrom
-- @notnull ids[]
INSERT INTO lists (ids) VALUES (@ids);
"""
LISTS = "CREATE TABLE lists (ids integer []);"


@pytest.fixture(scope="module")
def generated(
    tmp_path_factory: pytest.TempPathFactory,
) -> Generator[tuple[ModuleType, str]]:
    """Give the module, and its text."""
    folder = tmp_path_factory.mktemp("elements")
    options = "{not_null: [parcel.weight, public.parcel.moods]}"
    project = sqlc.Project.write(folder, SCHEMA + LISTS, QUERIES, options)
    text = project.generated()["queries.py"]
    with running.imported(folder, "elements") as module:
        yield module, text


def test_elements_are_annotated(generated: tuple[ModuleType, str]) -> None:
    """Results, parameters and JSON lose None where it is said; a model stays one."""
    _, text = generated
    assert "    moods: list[enums.Mood]\n    grid: list[list[int]] | None\n" in text
    assert "    moods: Sequence[enums.Mood],\n" in text
    assert "    grid: Sequence[Sequence[int]] | None,\n" in text
    assert "ids: Sequence[int]) -> list[models.Thing]:" in text
    assert ") -> list[enums.Mood] | None:" in text
    # It is still sent as what it is.
    assert 'copy.set_types(("int4[]",))' in text
    form = 'weight: int\n    moods: list[Literal["sad", "ok"] | None]\n'
    assert form in text


def test_elements_make_the_round_trip(
    generated: tuple[ModuleType, str], postgres_server: Server
) -> None:
    """What is sent comes back, as annotated, all the way down."""
    module, _ = generated
    types, enums = module.server_types, module.enums
    with (
        databases.database(postgres_server.url) as url,
        psycopg.connect(url, autocommit=True) as conn,
    ):
        conn.execute((SCHEMA + LISTS).encode())
        types.register_types(conn)
        parcel = types.Parcel(5, [enums.Mood.OK], None)
        moods = (enums.Mood.SAD, enums.Mood.OK)
        row = module.put(conn, id=1, moods=moods, grid=[[1, 2]], parcel=parcel)
        assert (row.moods, row.grid, row.parcel) == ([*moods], [[1, 2]], parcel)
        assert annotations.violations(row, type(row)) == []
        assert [found.id for found in module.among(conn, ids=[1, 2])] == [1]
        assert module.labels(conn) == [*moods]
        assert module.fill(conn, rows=[[1, 2], []]) == 2
