"""No value contradicts its annotation, whatever the rows; and sqlc's own words do.

The statements are those of `constructs`: every construct of nullability.
"""

import asyncio
import importlib
import stat
import sys
import types
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from generator.tests import sqlc
from generator.tests.constructs import EMBEDS, NAMES, SCHEMA
from generator.tests.trust.values import JSON, TEXTS
from generator.tools import annotations
from postgres_testing import databases
from postgres_testing.embedded import Server

Rows: TypeAlias = dict[str, list[tuple[Any, ...]]]

# A plugin that believes whatever sqlc says of a column's type and nullability.
TRUSTING = f"""#!{sys.executable}
import sys
from sqlc_gen_psycopg import __main__, problems
from sqlc_gen_psycopg.resolve import results
results._proven = lambda column, _: column
problems.Problems.add = lambda self, *_: None
sys.exit(__main__.main())
"""

_SMALL = st.integers(-3, 3)
_TAGS = st.lists(st.none() | TEXTS, max_size=2)
_STATES = st.sampled_from(["open", "done"])
_DAYS = st.sampled_from(["2024-01-01", "2024-02-29"])
_ITEM = st.tuples(
    _STATES,
    st.none() | _STATES,
    TEXTS,
    st.none() | TEXTS,
    st.none() | _SMALL,
    _SMALL,
    _SMALL,
    st.integers(0, 9),
    st.decimals(-9, 9, places=2),
    st.floats(-9, 9),
    st.none() | st.sampled_from(["sad", "ok"]),
    _TAGS,
    st.lists(st.none() | _STATES, max_size=2),
    JSON.map(Jsonb),
    st.just("2024-01-01 12:00+00"),
    st.none() | _DAYS,
    st.sampled_from(["empty", "[1,5)", "(,)", "[2,)"]),
)
ROWS: st.SearchStrategy[Rows] = st.fixed_dictionaries(
    {
        "items": st.lists(_ITEM, max_size=3),
        "others": st.lists(st.tuples(st.none() | st.just(0), TEXTS), max_size=3),
        "bare": st.lists(st.tuples(st.none() | TEXTS, st.none() | _SMALL), max_size=2),
        "copies": st.lists(
            st.tuples(st.none() | _SMALL, st.none() | TEXTS), max_size=2
        ),
    }
)
# NULL wherever it may be, and no row to find: a few drawn examples may lack that.
_NULLS: Rows = {
    "items": [
        (
            *("open", None, "pen", None, None, 0, 0, 0, 0, 0, None),
            *([], [], Jsonb(None), "2024-01-01 12:00+00", None, "empty"),
        )
    ],
    "others": [],
    "bare": [(None, None)],
    "copies": [(None, None)],
}
_DRAWN = settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)


@contextmanager
def _generated(folder: Path, name: str, plugin: str = "") -> Generator[Any]:
    """Generate all statements, by another plugin if its text is given; import them."""
    embeds = {statement: f"embed_{n}" for n, statement in enumerate(EMBEDS)}
    queries = "\n".join(
        f"-- name: {query} :many\n{statement};"
        for statement, query in {**NAMES, **embeds}.items()
    )
    project = sqlc.Project.write(folder, SCHEMA, queries, "{}")
    if plugin:
        script, config = folder / "plugin", folder / "sqlc.yaml"
        script.write_text(plugin, encoding="utf-8")
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        text = config.read_text(encoding="utf-8")
        config.write_text(text.replace("cmd: sqlc-gen-psycopg", f"cmd: {script}"))
        sqlc.generate(folder)
    else:
        project.generated()
    (folder / "out").rename(folder / name)
    sys.path.insert(0, str(folder))
    importlib.import_module(f"{name}.aio.queries")
    yield importlib.import_module(name)
    sys.path.remove(str(folder))
    for loaded in [m for m in sys.modules if m.split(".")[0] == name]:
        del sys.modules[loaded]


@pytest.fixture(scope="module")
def proven(tmp_path_factory: pytest.TempPathFactory) -> Generator[types.ModuleType]:
    """Give the generated package."""
    with _generated(tmp_path_factory.mktemp("proven"), "proven") as package:
        yield package


@pytest.fixture(scope="module")
def believed(tmp_path_factory: pytest.TempPathFactory) -> Generator[types.ModuleType]:
    """Give the package as it would be if sqlc's inference were believed."""
    folder = tmp_path_factory.mktemp("believed")
    with _generated(folder, "believed", TRUSTING) as package:
        yield package


@pytest.fixture(scope="module")
def url(postgres_server: Server) -> Generator[str]:
    """Give a database with the schema."""
    with databases.database(postgres_server.url) as url:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(SCHEMA.encode())
        yield url


@dataclass(frozen=True, slots=True)
class Faces:
    """A connection of either kind, and what runs the asynchronous one."""

    conn: psycopg.Connection[Any]
    other: psycopg.AsyncConnection[Any]
    runner: asyncio.Runner

    def fill(self, rows: Rows) -> None:
        """Let the tables hold these rows only; keys count from 0."""
        self.conn.execute("TRUNCATE items, others, bare, copies")
        for table in ("items", "others", "bare", "copies"):
            for number, row in enumerate(rows[table]):
                values = (number, *row) if table in ("items", "others") else row
                if table == "others" and not rows["items"]:
                    values = (number, None, row[1])
                places = ", ".join(["%s"] * len(values))
                insert = f"INSERT INTO {table} VALUES ({places})"  # noqa: S608 - of our own
                self.conn.execute(insert.encode(), values)

    def violations(self, package: types.ModuleType) -> dict[str, str]:
        """Call all functions of both faces; tell what contradicts its annotation."""
        found: dict[str, str] = {}
        for name in _FUNCTIONS:
            one = getattr(package.queries, name)
            two = getattr(package.aio.queries, name)
            wrong = [*_checked(one, self._now), *_checked(two, self._later)]
            if wrong:
                found[name] = str(wrong[0])
        return found

    def _now(self, function: Callable[..., object]) -> object:
        with self.conn.transaction(force_rollback=True):
            return function(self.conn)

    def _later(self, function: Callable[..., Awaitable[object]]) -> object:
        async def call() -> object:
            async with self.other.transaction(force_rollback=True):
                return await function(self.other)

        return self.runner.run(call())


_FUNCTIONS = [*NAMES.values(), *(f"embed_{n}" for n in range(len(EMBEDS)))]


def _checked(
    function: Callable[..., Any], call: Callable[[Callable[..., Any]], object]
) -> list[annotations.Violation]:
    promised = annotations.hints(function)["return"]
    try:
        values = call(function)
    except psycopg.DataError:
        # Not every JSON is an integer.
        return []
    return annotations.violations(values, promised)


@pytest.fixture(scope="module")
def faces(url: str) -> Generator[Faces]:
    """Give the connections of both kinds."""
    with asyncio.Runner() as runner, psycopg.connect(url, autocommit=True) as conn:
        other = runner.run(psycopg.AsyncConnection.connect(url, autocommit=True))
        yield Faces(conn, other, runner)
        runner.run(other.close())


@_DRAWN
@example(rows=_NULLS)
@given(rows=ROWS)
def test_no_value_contradicts_its_annotation(
    rows: Rows, proven: types.ModuleType, faces: Faces
) -> None:
    """Whatever rows there are, both faces give what they promise, all the way down."""
    faces.fill(rows)
    assert faces.violations(proven) == {}


def test_sqlcs_own_inference_is_found_out(
    believed: types.ModuleType, faces: Faces
) -> None:
    """With the repair switched off, the same check finds wrong promises."""
    found: set[str] = set()

    @_DRAWN
    @example(rows=_NULLS)
    @given(rows=ROWS)
    def look(rows: Rows) -> None:
        faces.fill(rows)
        found.update(faces.violations(believed))

    look()
    statements = {name: statement for statement, name in NAMES.items()}
    wrong = {statements.get(name, name) for name in found}
    assert wrong >= {
        "SELECT sum(n) FROM items",
        "SELECT n + 1 FROM items",
        "SELECT (SELECT others.label FROM others LIMIT 1)",
        "SELECT name FROM items UNION ALL SELECT note FROM items",
    }
    assert len(wrong) > len(NAMES) / 5
