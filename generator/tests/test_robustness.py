"""Whatever PostgreSQL's grammar allows, the inference answers, if only "unknown"."""

from pathlib import Path

import pytest

from generator.tests import sqlc
from sqlc_gen_psycopg import tree
from sqlc_gen_psycopg.inference.analyst import Analyst
from sqlc_gen_psycopg.request import Column, Name, Query, Table
from sqlc_gen_psycopg.schema import Schema

FILE = Path(__file__).with_name("statements.sql")
STATEMENTS = FILE.read_text(encoding="utf-8").splitlines()[1:]


def table(name: str, **columns: str) -> tuple[Name, Table]:
    """Make a table of nullable columns."""
    found = tuple(
        Column(column, column, Name("", kind), False, 0, None, None, False, "")
        for column, kind in columns.items()
    )
    return Name("", name), Table(Name("", name), found, "")


TABLES = dict(
    [
        table("t", a="int4", b="text", j="jsonb", arr="text"),
        table("u", a="int4", c="text"),
    ]
)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_no_statement_is_too_odd(statement: str) -> None:
    """Relations, expressions and clauses that are not known are no errors."""
    [wrapped] = tree.parse(statement)
    kind, node = tree.only(wrapped)
    query = Query("odd", ":many", statement, "odd.sql", (), (), (), None)
    # It is enough that nothing is raised.
    Analyst(TABLES, Schema("public")).statement(query, kind, node)


def test_a_file_without_queries(tmp_path: Path) -> None:
    """The schema may lie among the queries: what names no query gives none."""
    queries = "-- name: get :many\nSELECT 1;"
    made = sqlc.Project.write(tmp_path, "CREATE TABLE t (id int);", queries, "{}")
    config = tmp_path / "sqlc.yaml"
    text = config.read_text(encoding="utf-8")
    both = text.replace("queries: queries.sql", "queries: [queries.sql, schema.sql]")
    config.write_text(both, encoding="utf-8")
    assert "def get(" in made.generated()["queries.py"]
