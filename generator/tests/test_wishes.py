"""What users of sqlc's Python plugins wished for, and no other test shows."""

import re
import typing
from collections.abc import Callable

import pytest

from generator.tests.golden.shop.expected import json_types, models, orders
from generator.tests.sqlc import Project

SCHEMA = """
CREATE TABLE words (
    "class" text NOT NULL, "from" integer NOT NULL, "Odd Name" text NOT NULL,
    "conn" text, "naïve" text
);
"""


def test_names_of_columns(project: Callable[..., Project]) -> None:
    """Reserved words, quoted and non-ASCII names are fields and parameters."""
    queries = """
-- name: put :one
INSERT INTO words ("class", "from", "Odd Name", "conn", "naïve")
VALUES ($1, $2, $3, $4, $5) RETURNING *;
"""
    files = project(SCHEMA, queries).generated()
    fields = re.findall(r"^    (\w+): ", files["models.py"], re.MULTILINE)
    assert fields == ["class_", "from_", "odd_name", "conn", "naïve"]
    parameters = re.findall(r"^    (\w+): ", files["queries.py"], re.MULTILINE)
    assert parameters[1:] == ["class_", "from_", "odd_name", "conn_", "naïve"]


def test_unnamed_parameters(project: Callable[..., Project]) -> None:
    """A parameter without a name of its own is `arg_1`, not `dollar_1`."""
    queries = "-- name: add :one\nSELECT $1::integer + $2::integer AS total;"
    output = project(SCHEMA, queries).generated()["queries.py"]
    assert "arg_1: int" in output
    assert "arg_2: int" in output


NULLABLE = {
    'INSERT INTO words ("class", "from", "Odd Name", conn) '
    "VALUES ('', 1, '', @x)": "str | None",
    'INSERT INTO words ("class", "from", "Odd Name") VALUES (@x, 1, \'\')': "str",
    "DELETE FROM words WHERE \"class\" = coalesce(sqlc.narg(x)::text, 'a')": (
        "str | None"
    ),
    'DELETE FROM words WHERE "from" = @x': "int",
}


@pytest.mark.parametrize("statement", NULLABLE)
def test_nullable_parameters(statement: str, project: Callable[..., Project]) -> None:
    """A parameter takes None where its column does, or `sqlc.narg` says so."""
    output = project(SCHEMA, f"-- name: run :exec\n{statement};").generated()
    assert f" x: {NULLABLE[statement]}" in output["queries.py"].replace("\n   ", "")


def test_docstrings(project: Callable[..., Project]) -> None:
    """Comments of queries, tables and columns are docstrings."""
    schema = (
        f"{SCHEMA} COMMENT ON TABLE words IS 'All words.';"
        "COMMENT ON COLUMN words.class IS 'Its kind.';"
    )
    queries = "-- name: get :many\n-- Gets the words.\nSELECT * FROM words;"
    files = project(schema, queries).generated()
    assert '    """All words."""\n' in files["models.py"]
    assert '    """Its kind."""\n' in files["models.py"]
    assert '    """Gets the words."""\n' in files["queries.py"]


def test_a_comment_may_explain_parameters(project: Callable[..., Project]) -> None:
    """Their lines have a section; others that begin with `@` are text.

    One that seems to misspell a directive is text if it is a parameter's name.
    """
    queries = (
        "-- name: get :many\n"
        "-- Gets the words.\n-- @number: which\n--    of these\n"
        "-- @defer is a parameter\n"
        "-- @returns words\n"
        'SELECT * FROM words WHERE "from" = @number OR class = @defer;'
    )
    text = project(SCHEMA, queries).generated()["queries.py"]
    assert (
        '    """Gets the words.\n    @defer is a parameter\n    @returns words\n\n'
        '    Args:\n        number: which of these\n    """\n'
    ) in text


def test_an_enum_of_a_block(project: Callable[..., Project]) -> None:
    """An enum that a DO block makes if it is missing is an enum, unseen by sqlc."""
    schema = (
        "DO $$ BEGIN CREATE TYPE mood AS ENUM ('sad', 'ok'); "
        "EXCEPTION WHEN duplicate_object THEN NULL; END $$;"
        "CREATE TABLE moods (id integer NOT NULL, mood mood NOT NULL);"
    )
    queries = "-- name: get :many\nSELECT * FROM moods WHERE mood = @mood;"
    files = project(schema, queries).generated()
    assert "class Mood(StrEnum):" in files["enums.py"]
    assert "    mood: enums.Mood\n" in files["models.py"]
    assert "mood: enums.Mood)" in files["queries.py"]


def test_json_is_typed_at_run_time() -> None:
    """The hints of what has a json column resolve, wherever they are asked for."""
    promised = typing.get_type_hints(models.OrderItem)["parts"]
    assert promised == json_types.JsonValue
    assert typing.get_type_hints(orders.create_item)["parts"] == json_types.JsonInput
