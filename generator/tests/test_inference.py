"""Types and nullability are what PostgreSQL gives, on empty tables and on full ones."""

import importlib
import re
import sys
import types
from collections.abc import Generator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from generator.tests import sqlc
from generator.tests.constructs import CASES, EMBEDS, NAMES, ROWS, SCHEMA
from generator.tools import annotations
from postgres_testing import databases
from postgres_testing.embedded import Server


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a project with all cases, generated."""
    folder = tmp_path_factory.mktemp("inference")
    embeds = {statement: f"embed_{n}" for n, statement in enumerate(EMBEDS)}
    queries = "\n".join(
        f"-- name: {name} :many\n{statement};"
        for statement, name in {**NAMES, **embeds}.items()
    )
    overrides = "{db_type: int4range, py_type: 'builtins:str'}"
    project = sqlc.Project.write(
        folder, SCHEMA, queries, f"{{overrides: [{overrides}]}}"
    )
    project.generated()
    return folder


@pytest.fixture(scope="module")
def module(generated: Path) -> Generator[types.ModuleType]:
    """Give the generated module, imported."""
    (generated / "out").rename(generated / "inferred")
    sys.path.insert(0, str(generated))
    yield importlib.import_module("inferred.queries")
    sys.path.remove(str(generated))
    for name in [name for name in sys.modules if name.split(".")[0] == "inferred"]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def zoo_url(postgres_server: Server) -> Generator[str]:
    """Give a database with the schema and no rows."""
    with databases.database(postgres_server.url) as url:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(SCHEMA.encode())
        yield url


def _returned(module: types.ModuleType, name: str) -> str:
    text = Path(str(module.__file__)).read_text(encoding="utf-8")
    found = re.search(rf"def {name}\(.*?\) -> list\[(.*)\]:", text)
    assert found, name
    return found[1]


@pytest.mark.parametrize("statement", CASES)
def test_annotation(statement: str, module: types.ModuleType) -> None:
    """The one column of a statement has the strictest type that can be shown."""
    assert _returned(module, NAMES[statement]) == CASES[statement]


def test_embeds(module: types.ModuleType) -> None:
    """An embed is Optional exactly if its join may find nothing."""
    for number, expected in enumerate(EMBEDS.values()):
        row = getattr(module, f"Embed{number}Row")
        source = Path(str(module.__file__)).read_text(encoding="utf-8")
        [body] = re.findall(rf"class {row.__name__}:\n((?:    .*\n)+)", source)
        assert tuple(re.findall(r": (.*)\n", body)) == expected


@pytest.mark.parametrize("rows", ["", ROWS], ids=["empty", "filled"])
def test_values_keep_their_annotations(
    rows: str, module: types.ModuleType, zoo_url: str
) -> None:
    """Each function runs, and every value is of the annotated type."""
    names = [*NAMES.values(), *(f"embed_{n}" for n in range(len(EMBEDS)))]
    with psycopg.connect(zoo_url) as conn:
        conn.execute(rows.encode())
        found = {name: _wrong(getattr(module, name), conn) for name in names}
    statements = {name: statement for statement, name in NAMES.items()}
    assert {statements.get(n, n): v for n, v in found.items() if v} == {}


def _wrong(function: Any, conn: psycopg.Connection[Any]) -> list[object]:  # noqa: ANN401 - any query's function
    annotation = annotations.hints(function)["return"]
    with conn.transaction(force_rollback=True):
        values = function(conn)
    return [*annotations.violations(values, annotation)]


def test_types_of_extensions(tmp_path: Path) -> None:
    """A comparison is boolean, whoever defines the operator."""
    schema = "CREATE EXTENSION citext; CREATE TABLE t (c citext NOT NULL);"
    queries = "-- name: same :many\nSELECT c = 'x', c < c AS less FROM t;"
    project = sqlc.Project.write(tmp_path, schema, queries, "{}")
    assert "    less: bool\n" in project.generated()["queries.py"]


def test_vectors(tmp_path: Path) -> None:
    """The distances of pgvector, which sqlc does not know, are floats."""
    schema = "CREATE EXTENSION vector; CREATE TABLE t (id int, v vector(3) NOT NULL);"
    queries = """\
-- name: near :many
SELECT id, v, 1 - (v <=> @x) AS alike, l2_distance(v, @x) AS far, avg(v) OVER () AS a
FROM t ORDER BY v <-> @x;
"""
    made = sqlc.Project.write(tmp_path, schema, queries, "{}").generated()["queries.py"]
    assert "    v: str\n    alike: float\n    far: float\n    a: str\n" in made


def test_types_of_sqlc_alone(tmp_path: Path) -> None:
    """What sqlc calls a type, be it SQLite's or the information schema's, is known."""
    schema = "CREATE TABLE t (id integer, b blob NOT NULL);"
    queries = (
        "-- name: blobs :many\nSELECT b FROM t WHERE length(b) > 1;\n"
        "-- name: tables :many\nSELECT t.table_name FROM "
        "information_schema.tables AS t WHERE t.table_schema = @x;"
    )
    made = sqlc.Project.write(tmp_path, schema, queries, "{}").generated()["queries.py"]
    assert ") -> list[bytes]:" in made
    assert "*, x: str | None) -> list[str | None]:" in made
