"""Every type makes the round trip, as its annotation says, on both faces."""

import asyncio
import importlib
import re
import subprocess
import sys
import types
from collections.abc import Generator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from generator.tests import sqlc
from generator.tests.trust.values import TEXT_ONLY, TEXT_ONLY_IN_ARRAYS, TYPES
from generator.tools import annotations
from postgres_testing import databases
from postgres_testing.embedded import Server

_NUMBERED = [(number, *item) for number, item in enumerate(TYPES.items())]
# Arrays of boxes are refused.
_ELEMENTS = {"box": "circle"}
# Of each type a column that is NOT NULL, one that is not, and an array.
_COLUMNS = ", ".join(
    f"v{number} {kind} NOT NULL, n{number} {kind}, "
    f"a{number} {_ELEMENTS.get(kind, kind)}[] NOT NULL"
    for number, kind, _ in _NUMBERED
)
SCHEMA = f"""
CREATE EXTENSION citext;
CREATE EXTENSION hstore;
CREATE TYPE mood AS ENUM ('sad', 'it''s, "ok"');
CREATE DOMAIN state AS varchar(10) CHECK (value IN ('open', 'done'));
CREATE DOMAIN cents AS integer CHECK (value >= 0);
CREATE TYPE pair AS (x integer, state state, data jsonb);
CREATE TABLE things ({_COLUMNS});
"""
_NAMES = [f"{kind}{number}" for number, _, _ in _NUMBERED for kind in "vna"]
_PAIR = list(TYPES).index("pair")
_BOX = list(TYPES).index("box")
# What cannot be an element of an array of rows.
_FIXED = {
    f"v{_PAIR}": "'(,,)'",
    f"n{_PAIR}": "NULL",
    f"v{_BOX}": "'(3,4),(1,2)'",
    f"n{_BOX}": "NULL",
}
_SINGLE = [name for name in _NAMES if name[0] != "a" and name not in _FIXED]
_TEXT_ONLY = [
    f"{letter}{number}"
    for number, kind, _ in _NUMBERED
    for letter in "vna"
    if kind in (TEXT_ONLY_IN_ARRAYS if letter == "a" else TEXT_ONLY)
]
_BINARY = [name for name in _NAMES if name not in _TEXT_ONLY]
QUERIES = """
-- name: put :one
INSERT INTO things ({names}) VALUES ({values}) RETURNING *;
-- name: put_for_binary :one
-- @binary
INSERT INTO things ({names}) VALUES ({values}) RETURNING {binary};
-- name: put_all :many
-- @unnest
INSERT INTO things ({names}) VALUES ({single}) RETURNING *;
-- name: look :execresult
-- @binary
SELECT {binary} FROM things;
-- name: pairs :many
SELECT array_agg(things.n{pair}) FROM things;
-- name: put_pair :exec
INSERT INTO things (n{pair}) VALUES (@pair);
""".format(
    names=", ".join(_NAMES),
    values=", ".join(f"@{name}" for name in _NAMES),
    single=", ".join(
        f"@{n}" if n in _SINGLE else _FIXED.get(n, "'{}'") for n in _NAMES
    ),
    binary=", ".join(_BINARY),
    pair=_PAIR,
)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Generator[types.ModuleType]:
    """Give the generated package, imported as `trusted_types`."""
    folder = tmp_path_factory.mktemp("types")
    sqlc.Project.write(folder, SCHEMA, QUERIES, "{}").generated()
    (folder / "out").rename(folder / "trusted_types")
    sys.path.insert(0, str(folder))
    for name in ("queries", "server_types", "aio.queries", "aio.server_types"):
        importlib.import_module(f"trusted_types.{name}")
    yield importlib.import_module("trusted_types")
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.split(".")[0] == "trusted_types"]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def url(postgres_server: Server) -> Generator[str]:
    """Give a database with the schema."""
    with databases.database(postgres_server.url) as url:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(SCHEMA.encode())
        yield url


def _columns(pair: type) -> dict[str, st.SearchStrategy[Any]]:
    drawn: dict[str, st.SearchStrategy[Any]] = {}
    for number, kind, values in _NUMBERED:
        value = values.map(lambda parts: pair(*parts)) if kind == "pair" else values
        drawn[f"v{number}"] = value
        drawn[f"n{number}"] = st.none() | value
        element = TYPES[_ELEMENTS[kind]] if kind in _ELEMENTS else value
        drawn[f"a{number}"] = st.lists(st.none() | element, max_size=2)
    return drawn


@pytest.fixture(scope="module")
def faces(
    package: types.ModuleType, url: str
) -> Generator[tuple[psycopg.Connection[Any], Any]]:
    """Give a connection that knows the types, and a way to call the async face."""
    with asyncio.Runner() as runner, psycopg.connect(url, autocommit=True) as conn:
        conn.execute("SET timezone = 'UTC'")
        package.server_types.register_types(conn)
        other = runner.run(psycopg.AsyncConnection.connect(url, autocommit=True))
        runner.run(other.execute("SET timezone = 'UTC'"))
        runner.run(package.aio.server_types.register_types(other))

        def call(name: str, row: dict[str, Any]) -> object:
            return runner.run(getattr(package.aio.queries, name)(other, **row))

        yield conn, call
        runner.run(other.close())


@settings(
    max_examples=12,
    # A row of all types shrinks for minutes, and the message names the columns.
    phases=[Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(data=st.data())
def test_every_type_makes_the_round_trip(
    data: st.DataObject,
    package: types.ModuleType,
    faces: tuple[psycopg.Connection[Any], Any],
) -> None:
    """What goes in comes out, equal and as annotated, as text and in binary."""
    conn, call_async = faces
    columns = _columns(package.server_types.Pair)
    row = {name: data.draw(values, name) for name, values in columns.items()}
    for function, names in (("put", _NAMES), ("put_for_binary", _BINARY)):
        now = getattr(package.queries, function)
        promised = annotations.hints(now)["return"]
        for found in (now(conn, **row), call_async(function, row)):
            came = {name: getattr(found, name) for name in names}
            assert {name for name in names if came[name] != row[name]} == set()
            assert annotations.violations(found, promised) == []


@settings(
    max_examples=12,
    phases=[Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(data=st.data())
def test_every_type_makes_the_round_trip_in_many_rows(
    data: st.DataObject,
    package: types.ModuleType,
    faces: tuple[psycopg.Connection[Any], Any],
) -> None:
    """What goes in by `@unnest` comes out, in the order of the rows."""
    conn, call_async = faces
    queries = package.queries
    columns = {
        name: drawn
        for name, drawn in _columns(package.server_types.Pair).items()
        if name in _SINGLE
    }
    drawn = st.lists(st.fixed_dictionaries(columns), max_size=2)
    rows = data.draw(drawn.map(lambda all_: [queries.PutAllParams(**r) for r in all_]))
    for found in (
        queries.put_all(conn, rows=rows),
        call_async("put_all", {"rows": rows}),
    ):
        came = [[getattr(row, name) for name in columns] for row in found]
        assert came == [[getattr(row, name) for name in columns] for row in rows]


def test_binary_results_are_binary(
    package: types.ModuleType, faces: tuple[psycopg.Connection[Any], Any]
) -> None:
    """The server sends them so, to both faces."""
    conn, call_async = faces
    for cur in (package.queries.look(conn), call_async("look", {})):
        assert {cur.pgresult.fformat(n) for n in range(len(_BINARY))} == {1}


def test_what_has_no_binary_form_is_refused(tmp_path: Path) -> None:
    """Each type that psycopg cannot read from binary is named, and no other."""
    query = f"-- name: get :many\n-- @binary\nSELECT {', '.join(_NAMES)} FROM things;"
    refusal = sqlc.Project.write(tmp_path, SCHEMA, query, "{}").refusal()
    named = re.findall(r"psycopg reads column '(\w+)' from text only", refusal)
    assert named == _TEXT_ONLY


def test_types_that_were_not_registered_are_told(
    package: types.ModuleType,
    url: str,
    faces: tuple[psycopg.Connection[Any], Any],
) -> None:
    """Without `register_types` reading and sending fail, and nothing comes as text."""
    conn, _ = faces
    conn.execute("TRUNCATE things")
    for name in _NAMES:
        conn.execute(f"ALTER TABLE things ALTER {name} DROP NOT NULL".encode())
    pair = package.server_types.Pair(1, package.enums.State.OPEN, 2)
    with psycopg.connect(url, autocommit=True) as stranger:
        with pytest.raises(psycopg.ProgrammingError, match="Pair"):
            package.queries.put_pair(stranger, pair=pair)
        package.queries.put_pair(conn, pair=pair)
        with pytest.raises(TypeError, match=r"call register_types\(conn\)"):
            package.queries.pairs(stranger)
    assert package.queries.pairs(conn) == [[pair]]


def test_a_missing_type_is_told(
    package: types.ModuleType, postgres_server: Server
) -> None:
    """`register_types` says which type a database lacks."""
    with (
        psycopg.connect(postgres_server.url, autocommit=True) as conn,
        pytest.raises(LookupError, match="the database has no type"),
    ):
        package.server_types.register_types(conn)


def test_functions_say_that_types_are_needed(package: types.ModuleType) -> None:
    """The docstring tells that the types must be registered."""
    assert "register_types" in package.queries.pairs.__doc__


def test_the_output_is_clean(package: types.ModuleType) -> None:
    """Ruff would change nothing, and mypy finds nothing in strict mode."""
    folder = Path(str(package.__file__)).parent
    for command in (
        ("ruff", "format", "--isolated", "--no-cache", "--diff"),
        ("ruff", "check", "--isolated", "--no-cache"),
        ("mypy", "--strict"),
    ):
        ran = subprocess.run(
            [sys.executable, "-m", *command, folder.name],
            cwd=folder.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout
