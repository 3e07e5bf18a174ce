"""Whatever PostgreSQL's grammar allows, the inference answers, if only "unknown"."""

import re
from pathlib import Path

import pytest

from generator.tests import sqlc
from sqlc_gen_psycopg.inference.analyzer import Analyzer
from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.schema.model import Schema
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sqlc.request import Column, Query, Table

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
    query = Query("odd", ":many", statement, "odd.sql", (), (), (), None)
    # It is enough that nothing is raised.
    Analyzer(TABLES, {}, Schema("public")).analyze(query, wrapped)


def test_query_files_of_one_name(tmp_path: Path) -> None:
    """Each has a module, called after its folder as well, and its own comments."""
    made = sqlc.Project.write(tmp_path, "CREATE TABLE t (id int);", "", "{}")
    config = tmp_path / "sqlc.yaml"
    text = config.read_text(encoding="utf-8")
    folders = text.replace("queries: queries.sql", "queries: [shop, stock]")
    config.write_text(folders, encoding="utf-8")
    for folder in ("shop", "stock"):
        (tmp_path / folder).mkdir()
        query = f"-- name: {folder} :one\n-- Of {folder}.\nSELECT 1 + 1;"
        (tmp_path / folder / "orders.sql").write_text(query)
        other = f"-- name: only_{folder} :one\nSELECT 1;"
        (tmp_path / folder / f"{folder}_only.sql").write_text(other)
    files = made.generated()
    for folder in ("shop", "stock"):
        module = files[f"{folder}_orders.py"]
        assert f"from {folder}/orders.sql" in module
        assert f'def {folder}(conn: Connection[Any]) -> int:\n    """Of' in module
        assert f"def only_{folder}(" in files[f"{folder}_only.py"]
    assert "orders.py" not in files


def test_a_table_of_rows(tmp_path: Path) -> None:
    """Its row factory is none of the table's that it is called after."""
    schema = "CREATE TABLE score (id int); CREATE TABLE score_row (id int, n int);"
    queries = "\n".join(
        f"-- name: all_{table} :many\nSELECT * FROM {table};"
        for table in ("score", "score_row")
    )
    files = sqlc.Project.write(tmp_path, schema, queries, "{}").generated()
    made = re.findall(r"def (\w+)\(_.*\[(\w+)\]:", files["models.py"])
    assert made == [("score_row", "Score"), ("score_row_row", "ScoreRow")]
    used = re.findall(r"row_factory=models\.(\w+)", files["queries.py"])
    assert used == ["score_row", "score_row_row"]


def test_a_file_without_queries(tmp_path: Path) -> None:
    """The schema may lie among the queries: what names no query gives none."""
    queries = "-- name: get :many\nSELECT 1;"
    made = sqlc.Project.write(tmp_path, "CREATE TABLE t (id int);", queries, "{}")
    config = tmp_path / "sqlc.yaml"
    text = config.read_text(encoding="utf-8")
    both = text.replace("queries: queries.sql", "queries: [queries.sql, schema.sql]")
    config.write_text(both, encoding="utf-8")
    assert "def get(" in made.generated()["queries.py"]
