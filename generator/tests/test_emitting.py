"""What is written on request: run on a server, with rows of either kind."""

import asyncio
import copy
import dataclasses
import importlib
import inspect
import json
import pickle
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import psycopg
import pydantic
import pytest

from generator.tests import running, sqlc
from postgres_testing import databases
from postgres_testing.embedded import Server

SCHEMA = """
CREATE TYPE mood AS ENUM ('calm', 'cross');
CREATE TABLE notes (
    id integer PRIMARY KEY, title text NOT NULL, body text, mood mood,
    kept jsonb NOT NULL
);
CREATE VIEW note_titles AS SELECT id, title, body IS NOT NULL AS has_body FROM notes;
COMMENT ON COLUMN notes.title IS 'What it is "about".';
COMMENT ON COLUMN notes.body IS 'May come
later.';
"""
QUERIES = """
-- name: put_note :one
-- @mood: how it sounds
--   to others
INSERT INTO notes (body, title, id, mood, kept)
VALUES (@body, @title, @id, @mood, @kept) RETURNING *;
-- name: put_notes :batchexec
INSERT INTO notes (body, title, id, kept) VALUES (@body, @title, @id, '{}');
-- name: list_moods :many
SELECT id, mood, ARRAY[mood]::mood[] AS moods FROM notes ORDER BY id;
-- name: count_in_mood :one
SELECT count(*) FROM notes WHERE mood = @mood AND mood = ANY(@moods::mood[]);
-- name: get_title :one
-- @exactly-one
-- @row Title
SELECT id, title FROM notes WHERE id = @id;
-- name: list_bodies :many
SELECT id, body FROM notes;
-- name: one_body :batchone
SELECT id, body FROM notes WHERE id = @id;
-- name: list_other_bodies :many
SELECT id, coalesce(body, '') AS body FROM notes;
-- name: add_notes :many
-- @unnest
INSERT INTO notes (id, title, body, mood, kept)
VALUES (@id, @title, @body, @mood, '{"$1": ")"}') -- VALUES (1)
ON CONFLICT (id) DO UPDATE SET title = excluded.title || '!' RETURNING id, title;
-- name: add_ids :execrows
-- @unnest
-- @deferred
INSERT INTO notes (id, title, kept) VALUES (@id::integer, now()::text, '1');
-- name: retitle :one
-- @row NoteTitle
UPDATE notes SET title = @title WHERE id = @id
RETURNING id, title, body IS NOT NULL AS has_body;
-- name: list_titles :many
-- @row Title
-- @stream
-- @deferred
-- Lists titles.
SELECT id, title FROM notes ORDER BY id;
"""
KINDS = ("dataclass", "pydantic")
OPTIONS = """{{
    model_kind: {kind}, emit_frozen_models: true, emit_none_defaults: true,
    emit_open_enums: true, emit_querier: true, emit_shared_rows: true
}}"""


# Two queries, and what may stand in for them, or not.
FAKED = """
-- name: count_notes :one
SELECT count(*) FROM notes;
-- name: drop_note :exec
DELETE FROM notes WHERE id = @id;
"""
FAKES = """\
from typing import Any

from made_faked.aio.querier import Querier as Awaiting
from made_faked.querier import Querier, Queries
from psycopg import Connection


class Fake:
    def count_notes(self) -> int:
        return 3

    def drop_note(self, *, id: int) -> None:
        raise LookupError(id)


class Lacking:
    def count_notes(self) -> int:
        return 3


def counted(querier: Querier) -> int:
    return querier.count_notes()


async def counted_awaiting(querier: Awaiting) -> int:
    return await querier.count_notes()


def check(conn: Connection[Any]) -> list[int]:
    counted(Lacking())  # type: ignore[arg-type]
    return [counted(Fake()), counted(Queries(conn))]
"""


class Made(NamedTuple):
    """A project that was generated with all of the options, imported."""

    kind: str
    queries: ModuleType
    awaiting: ModuleType
    models: ModuleType
    enums: ModuleType
    querier: ModuleType
    awaiting_querier: ModuleType


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the project's output of each kind, as packages."""
    folder = tmp_path_factory.mktemp("emitting")
    for kind in KINDS:
        (folder / kind).mkdir()
        options = OPTIONS.format(kind=kind)
        sqlc.Project.write(folder / kind, SCHEMA, QUERIES, options).generated()
        (folder / kind / "out").rename(folder / f"made_{kind}")
    sqlc.Project.write(folder, SCHEMA, FAKED, "{emit_querier: true}").generated()
    (folder / "out").rename(folder / "made_faked")
    (folder / "fakes.py").write_text(FAKES, encoding="utf-8")
    return folder


@pytest.fixture(scope="module", params=KINDS)
def made(request: pytest.FixtureRequest, folder: Path) -> Generator[Made]:
    """Give the project with rows of one kind."""
    with running.importable(folder, f"made_{request.param}") as name:
        parts = ("queries", "aio.queries", "models", "enums", "querier", "aio.querier")
        modules = [importlib.import_module(f"{name}.{part}") for part in parts]
        yield Made(request.param, *modules)


@pytest.fixture
def conn(postgres_server: Server) -> Generator[psycopg.Connection[Any]]:
    """Give an autocommit connection to a database with the schema."""
    with (
        databases.template(postgres_server.url, _with_schema) as made,
        made.clone() as url,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        yield connection


def _with_schema(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(SCHEMA.encode())


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_all_of_it_is_typed(checker: str, folder: Path) -> None:
    """Both type checkers, strict, find nothing; a fake of the protocol's suits both."""
    strict = {
        "typeCheckingMode": "strict",
        "reportUnnecessaryTypeIgnoreComment": "error",
        "include": ["made_*", "fakes.py"],
    }
    (folder / "strict.json").write_text(json.dumps(strict), encoding="utf-8")
    made = [path.name for path in folder.glob("made_*")]
    arguments = {
        "mypy": ["--strict", *made, "fakes.py"],
        "pyright": ["-p", "strict.json", "--pythonpath", sys.executable],
    }
    ran = subprocess.run(
        [sys.executable, "-m", checker, *arguments[checker]],
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


def test_what_writes_a_table_gives_a_views_rows(
    made: Made, conn: psycopg.Connection[Any]
) -> None:
    """Where a directive names its model, and the columns are the view's."""
    made.queries.put_note(conn, id=1, title="a", kept=None)
    changed = made.queries.retitle(conn, id=1, title="b")
    assert changed == made.models.NoteTitle(id=1, title="b", has_body=False)


def test_methods_give_what_functions_give(
    made: Made, conn: psycopg.Connection[Any]
) -> None:
    """`Queries` has a method for each function, of the same parameters."""
    querier = made.querier.Queries(conn)
    note = querier.put_note(id=1, title="a", kept={}, mood=made.enums.Mood.CALM)
    assert conn.execute("SELECT title, mood FROM notes").fetchall() == [("a", "calm")]
    assert type(note) is made.models.Note
    assert (
        querier.put_notes(rows=[made.queries.PutNotesParams(id=2, title="b")]) is None
    )
    expected = made.queries.list_titles(conn)
    assert querier.list_titles() == expected
    assert [row.title for row in expected] == ["a", "b"]
    with conn.pipeline():
        fetch = querier.send_list_titles()
    assert fetch() == expected
    with conn.transaction(), querier.stream_list_titles(fetch_size=1) as rows:
        assert list(rows) == expected
    public = {name for name in dir(querier) if name[0] != "_"}
    functions = {
        name
        for name in made.queries.__all__
        if inspect.isfunction(getattr(made.queries, name)) and name[-4:] != "_row"
    }
    assert public == functions


def test_awaiting_methods_give_what_functions_give(
    made: Made, conn: psycopg.Connection[Any]
) -> None:
    """So does the class of `aio`; what opens a stream is no coroutine there, too."""
    made.queries.put_note(conn, id=1, title="a", kept=None)

    async def check() -> None:
        connected = psycopg.AsyncConnection.connect(_url(conn), autocommit=True)
        async with await connected as other:
            querier = made.awaiting_querier.Queries(other)
            expected = await made.awaiting.list_titles(other)
            assert await querier.list_titles() == expected != []
            async with other.pipeline():
                fetch = await querier.send_list_titles()
            assert await fetch() == expected
            async with other.transaction(), querier.stream_list_titles() as rows:
                assert [row async for row in rows] == expected

    asyncio.run(check())


def _url(conn: psycopg.Connection[Any]) -> str:
    return f"{conn.info.dsn} password={conn.info.password}"


CLASHES = {
    "users": "-- name: count_all :one\nSELECT 1;\n-- name: send_it :one\nSELECT 1;",
    "carts": "-- name: it :one\n-- @deferred\nSELECT 1;\n"
    "-- name: CountAll :one\nSELECT 1;",
}


@pytest.mark.parametrize("emits", [True, False])
def test_queries_of_one_name_cannot_be_one_class(emits: bool, tmp_path: Path) -> None:
    """Where modules are one class, all that clashes between them is refused."""
    made = _files(tmp_path, CLASHES, f"{{emit_querier: {str(emits).lower()}}}")
    if not emits:
        assert made.generated()
        return
    assert re.findall(r"(\w+): its function '(\w+)' .* by (.*);", made.refusal()) == [
        ("count_all", "count_all", "carts.sql: CountAll"),
        ("send_it", "send_it", "carts.sql: it"),
    ]


def test_modules_may_be_called_like_what_methods_use(tmp_path: Path) -> None:
    """A parameter, a method or an import of a module's name hides no module."""
    names = ("notes", "datetime", "rows", "querier", "id")
    query = (
        "-- name: {0}_of :many\nSELECT id, title FROM notes WHERE id = @{0};\n"
        "-- name: put_{0} :batchexec\nDELETE FROM notes WHERE id = @id;\n"
        "-- name: now_{0} :one\nSELECT now();\n-- name: {0} :one\nSELECT 1;"
    )
    files = {name: query.format(name) for name in names}
    _files(tmp_path, files, "{emit_querier: true}").generated()
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "out"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
    linted = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--select=I,F,E1", "out"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.returncode == 0, linted.stdout


def _files(folder: Path, files: dict[str, str], options: str) -> sqlc.Project:
    """Write a project of several query files."""
    made = sqlc.Project.write(folder, SCHEMA, "", options)
    config = folder / "sqlc.yaml"
    text = config.read_text(encoding="utf-8").replace("queries.sql", "queries")
    config.write_text(text, encoding="utf-8")
    (folder / "queries").mkdir()
    for name, queries in files.items():
        (folder / "queries" / f"{name}.sql").write_text(queries, encoding="utf-8")
    return made


def test_what_is_known_of_columns_is_in_docstrings(made: Made) -> None:
    """Comments on columns are told of parameters, unless the query explains them."""
    assert inspect.getdoc(made.queries.put_note) == (
        "Run `put_note`.\n\nArgs:\n    body: May come later.\n"
        '    title: What it is "about".\n    mood: how it sounds to others'
    )
    # Their classes' fields have it.
    assert made.queries.put_notes.__doc__ is None
    assert made.queries.list_titles.__doc__ == "Lists titles."


def test_fields_are_described_in_json_schemas(made: Made) -> None:
    """So are those of models, of a query's own rows and of arguments."""
    if made.kind != "pydantic":
        return
    found = [
        {
            name: field.get("description")
            for name, field in pydantic.TypeAdapter(kind)
            .json_schema()["properties"]
            .items()
        }
        for kind in (
            made.models.Note,
            made.queries.PutNotesParams,
            made.queries.Title,
        )
    ]
    assert found == [
        {
            "id": None,
            "title": 'What it is "about".',
            "body": "May come\nlater.",
            "mood": None,
            "kept": None,
        },
        {"body": "May come\nlater.", "title": 'What it is "about".', "id": None},
        {"id": None, "title": 'What it is "about".'},
    ]


def test_models_are_frozen(made: Made, conn: psycopg.Connection[Any]) -> None:
    """Rows and arguments of either kind refuse to be changed, and are hashable."""
    params = made.queries.PutNotesParams(id=2, title="b")
    made.queries.put_notes(conn, rows=[params])
    [row] = made.queries.list_titles(conn)
    note = made.queries.put_note(conn, id=1, title="a", kept=None)
    for frozen in (params, row, note):
        with pytest.raises((dataclasses.FrozenInstanceError, pydantic.ValidationError)):
            frozen.title = "c"
        assert frozen.title != "c"
    assert len({row, made.queries.Title(id=2, title="b")}) == 1


def test_a_label_that_was_added_since_is_read_and_sent(
    made: Made, conn: psycopg.Connection[Any]
) -> None:
    """It is no member but a value of the enum, equal and unequal as its text is."""
    conn.execute("ALTER TYPE mood ADD VALUE 'CALM'")
    conn.execute(
        "INSERT INTO notes (id, title, kept, mood) VALUES (1, '', '{}', 'CALM')"
    )
    mood_type = made.enums.Mood
    [row] = made.queries.list_moods(conn)
    assert isinstance(row.mood, made.enums.OpenEnum)
    assert row.moods == [row.mood]
    assert (row.mood, row.mood.value, str(row.mood)) == ("CALM", "CALM", "CALM")
    assert row.mood not in list(mood_type)
    assert row.mood.name not in mood_type.__members__
    assert (row.mood.is_known, mood_type.CALM.is_known) == (False, True)
    assert row.mood != mood_type.CALM
    assert made.queries.count_in_mood(conn, mood=row.mood, moods=[row.mood]) == 1
    for copied in (pickle.loads(pickle.dumps(row.mood)), copy.deepcopy(row.mood)):  # noqa: S301 - our own
        assert (copied, type(copied), copied.is_known) == (row.mood, mood_type, False)
    with pytest.raises(ValueError, match="3 is not a valid Mood"):
        mood_type(3)


def test_queries_of_equal_columns_share_a_class(
    made: Made, conn: psycopg.Connection[Any]
) -> None:
    """So do those that name one; other nullability is another class."""
    rows = [made.queries.PutNotesParams(id=1, title="a", body="b")]
    made.queries.put_notes(conn, rows=rows)
    assert [made.queries.get_title(conn, id=1)] == made.queries.list_titles(conn)
    assert made.queries.list_titles(conn) == [made.queries.Title(id=1, title="a")]
    assert made.queries.one_body(conn, rows=[1]) == made.queries.list_bodies(conn)
    assert made.queries.list_bodies(conn) != made.queries.list_other_bodies(conn)
    classes = {name for name in made.queries.__all__ if name.endswith("Row")}
    assert classes == {"ListBodiesRow", "ListMoodsRow", "ListOtherBodiesRow"}


def test_any_number_of_rows_is_one_statement(
    made: Made, conn: psycopg.Connection[Any]
) -> None:
    """None, one and many, of an iterator too; what is returned is in their order."""
    conn.prepare_threshold = 0
    params, calm = made.queries.AddNotesParams, made.enums.Mood.CALM
    assert made.queries.add_notes(conn, rows=[]) == []
    rows = [params(id=n, title="a", mood=calm if n % 2 else None) for n in (3, 1, 2)]
    added = made.queries.add_notes(conn, rows=iter(rows))
    assert [(row.id, row.title) for row in added] == [(3, "a"), (1, "a"), (2, "a")]
    [changed] = made.queries.add_notes(conn, rows=rows[:1])
    assert changed == made.queries.Title(id=3, title="a!")
    found = conn.execute("SELECT id, body, mood, kept FROM notes ORDER BY id")
    assert found.fetchall() == [
        (n, None, "calm" if n % 2 else None, {"$1": ")"}) for n in (1, 2, 3)
    ]
    prepared = "SELECT count(*) FROM pg_prepared_statements WHERE statement = %s"
    seen = conn.execute(prepared, [made.queries.ADD_NOTES]).fetchone()
    made.queries.add_notes(conn, rows=rows)
    made.queries.add_notes(conn, rows=[*rows, params(id=4, title="b", mood=calm)])
    assert conn.execute(prepared, [made.queries.ADD_NOTES]).fetchone() == seen
    with conn.pipeline():
        fetch = made.queries.send_add_ids(conn, rows=(n for n in (8, 9)))
    assert fetch() == 2
