"""What is written on request: run on a server, with rows of either kind."""

import importlib
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import psycopg
import pytest

from devserver import databases
from devserver.embedded import Server
from generator.tests import running, sqlc

SCHEMA = """
CREATE TYPE mood AS ENUM ('calm', 'cross');
CREATE TABLE notes (
    id integer PRIMARY KEY, title text NOT NULL, body text, mood mood,
    kept jsonb NOT NULL
);
"""
QUERIES = """
-- name: put_note :one
INSERT INTO notes (body, title, id, mood, kept)
VALUES (@body, @title, @id, @mood, @kept) RETURNING *;
-- name: put_notes :batchexec
INSERT INTO notes (body, title, id, kept) VALUES (@body, @title, @id, '{}');
-- name: list_titles :many
SELECT id, title FROM notes ORDER BY id;
"""
KINDS = ("dataclass", "pydantic")
OPTIONS = "{{model_kind: {kind}, emit_none_defaults: true}}"


class Made(NamedTuple):
    """A project that was generated with all of the options, imported."""

    kind: str
    queries: ModuleType
    awaiting: ModuleType
    models: ModuleType
    enums: ModuleType


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the project's output of each kind, as packages."""
    folder = tmp_path_factory.mktemp("emitting")
    for kind in KINDS:
        (folder / kind).mkdir()
        options = OPTIONS.format(kind=kind)
        sqlc.Project.write(folder / kind, SCHEMA, QUERIES, options).generated()
        (folder / kind / "out").rename(folder / f"made_{kind}")
    return folder


@pytest.fixture(scope="module", params=KINDS)
def made(request: pytest.FixtureRequest, folder: Path) -> Generator[Made]:
    """Give the project with rows of one kind."""
    with running.importable(folder, f"made_{request.param}") as name:
        parts = ("queries", "aio.queries", "models", "enums")
        modules = [importlib.import_module(f"{name}.{part}") for part in parts]
        yield Made(request.param, *modules)


@pytest.fixture
def conn(server: Server) -> Generator[psycopg.Connection[Any]]:
    """Give an autocommit connection to a database with the schema."""
    with (
        databases.template(server.url, _with_schema) as made,
        made.clone() as url,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        yield connection


def _with_schema(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(SCHEMA.encode())


@pytest.mark.parametrize("checker", ["mypy --strict", "pyright -p strict.json"])
def test_all_of_it_is_typed(checker: str, folder: Path) -> None:
    """Both type checkers, strict, find nothing in the output, or in what calls it."""
    strict = '{"typeCheckingMode": "strict", "include": ["made_*"]}'
    (folder / "strict.json").write_text(strict, encoding="utf-8")
    made = [f"made_{kind}" for kind in KINDS] if "mypy" in checker else []
    ran = subprocess.run(
        [sys.executable, "-m", *checker.split(), *made],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout


def test_parameters_are_none_by_default(
    made: Made, conn: psycopg.Connection[Any]
) -> None:
    """What takes None may be left out; JSON's null, and NOT NULL, may not."""
    note = made.queries.put_note(conn, id=1, title="a", kept=None)
    assert (note.body, note.mood, note.kept) == (None, None, None)
    with pytest.raises(TypeError, match="'kept'"):
        made.queries.put_note(conn, id=2, title="b")


def test_arguments_are_none_by_default(
    made: Made, conn: psycopg.Connection[Any]
) -> None:
    """The same holds for classes of arguments, whatever the order of their fields."""
    rows = [
        made.queries.PutNotesParams(id=1, title="a"),
        made.queries.PutNotesParams(id=2, title="b", body="c"),
    ]
    made.queries.put_notes(conn, rows=rows)
    found = conn.execute("SELECT body FROM notes ORDER BY id").fetchall()
    assert found == [(None,), ("c",)]
