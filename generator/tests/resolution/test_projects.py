"""Every statement that this repository holds is of the types that PREPARE says."""

import contextlib
import shutil
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from generator.tests import (
    constructs,
    documents,
    running,
    sqlc,
    test_integers,
    test_names,
    test_reference,
    test_robustness,
)
from generator.tests.signatures import test_signatures
from generator.tests.trust import test_types
from generator.tools import prepared
from generator.tools.prepared import Verdict
from postgres_testing import databases, schemas
from postgres_testing.embedded import Server
from sqlc_gen_psycopg.command import checking
from sqlc_gen_psycopg.command.requests import Part
from sqlc_gen_psycopg.command.server import Types

ROOT = documents.GENERATOR.parent
# The repository's own queries are there where its generator is not alone.
MIGRATED = {path.parent.name: path.parent for path in sqlc.GOLDEN.glob("*/sqlc.yaml")}
if (ROOT / "sqlc.yaml").is_file():
    MIGRATED["the store"] = ROOT


def _named(queries: dict[str, str]) -> str:
    return "\n".join(f"-- name: {name} :many\n{queries[name]};" for name in queries)


# A schema and its queries.
PROJECTS = {
    "constructs": (
        constructs.SCHEMA,
        _named(
            {name: text for text, name in constructs.NAMES.items()}
            | {f"embed_{n}": text for n, text in enumerate(constructs.EMBEDS)}
        ),
    ),
    "types": (test_types.SCHEMA, test_types.QUERIES),
    "integers": (test_integers.SCHEMA, test_integers.QUERIES),
    "names": (test_names.SCHEMA, test_names.USING_ALL),
    **{
        f"reference: {name}": (case.schema, case.queries)
        for name, case in test_reference.CASES.items()
        if not case.refusal and case.queries
    },
    **{
        f"signatures: {name}": (
            case.schema,
            "\n".join(f"-- name: {n}\n{q};" for n, (q, _, _) in case.queries.items()),
        )
        for name, case in test_signatures.CASES.items()
    },
}


def _differences(conn: psycopg.Connection, folder: Path) -> list[str]:
    """Return what of a project is otherwise than the server has it."""
    found: list[str] = []
    for asked in sqlc.requests(folder):
        assert asked.queries
        with contextlib.chdir(folder):
            report = checking.check(conn, Part(Path("out"), asked._replace(options={})))
        found += map(str, report.findings)
    return found


@pytest.mark.parametrize("name", MIGRATED)
def test_migrated_projects(name: str, postgres_server: Server, tmp_path: Path) -> None:
    """Each query of the golden projects, and of the store's."""
    source = MIGRATED[name]
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copy(source / "sqlc.yaml", folder)
    if source == ROOT:
        folder_of_sql = source / "db"
        shutil.copytree(folder_of_sql, folder / "db")
    else:
        folder_of_sql = source
        for part in ("migrations", "queries"):
            shutil.copytree(source / part, folder / part)
    migrations = folder_of_sql / "migrations"
    with (
        databases.template(
            postgres_server.url, schemas.migrated(migrations).build
        ) as made,
        made.clone() as url,
        psycopg.connect(url, autocommit=True) as conn,
    ):
        assert _differences(conn, folder) == []


@pytest.fixture(scope="module")
def conn(postgres_server: Server) -> Generator[psycopg.Connection]:
    """Give a connection to a database of the module's own."""
    with (
        databases.database(postgres_server.url) as url,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        yield connection


@pytest.mark.parametrize("name", PROJECTS)
def test_projects(name: str, conn: psycopg.Connection, tmp_path: Path) -> None:
    """Each query that the tests generate functions of, and the reference shows."""
    schema, queries = PROJECTS[name]
    sqlc.Project.write(tmp_path, schema, queries, "{}")
    running.fill(conn, schema, "")
    assert _differences(conn, tmp_path) == []


def test_odd_statements(conn: psycopg.Connection) -> None:
    """What the server takes of the oddest statements is of its types."""
    ddl = """
    CREATE TABLE t (a int, b text, j jsonb, arr text);
    CREATE TABLE u (a int, c text)
    """
    running.fill(conn, ddl, "")
    analyzer = prepared.analyzer_of(conn, prepared.schema_of(ddl))
    types = Types(conn)
    compared = {
        text: prepared.compare(conn, analyzer, types, text)
        for text in test_robustness.STATEMENTS
    }
    # sqlc takes no EXPLAIN for a query.
    del compared["EXPLAIN SELECT 1"]
    verdicts = (Verdict.WRONG, Verdict.REFUSED)
    assert {t: c.why for t, c in compared.items() if c.verdict in verdicts} == {}
    same = [text for text, one in compared.items() if one.verdict is Verdict.SAME]
    assert len(same) > len(compared) / 2
