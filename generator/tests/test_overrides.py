"""An override reaches every value of its column or type, whatever way it takes."""

import re
from collections.abc import Callable

import pytest

from generator.tests.sqlc import Project

SCHEMA = """
CREATE DOMAIN item_id AS integer;
CREATE TABLE items (
    id item_id PRIMARY KEY,
    owner text NOT NULL,
    note text,
    parts jsonb NOT NULL,
    labels text [] NOT NULL
);
"""
COLUMN = "{overrides: [{column: items.owner, py_type: 'app.names:Owner'}]}"
TYPE = "{overrides: [{db_type: item_id, py_type: 'app.ids:ItemId'}]}"

# Queries, and the annotation of their one parameter or of their result.
RESULTS = {
    "SELECT owner FROM items": "list[Owner]",
    "SELECT DISTINCT i.owner AS boss FROM items AS i": "list[Owner]",
    "SELECT owner::text FROM items": "list[Owner]",
    "WITH w AS (UPDATE items SET note = '' RETURNING items.owner) "
    "SELECT w.owner FROM w": "list[Owner]",
    "SELECT s.o FROM (SELECT items.owner AS o FROM items) AS s": "list[Owner]",
    "SELECT b.owner FROM items AS a LEFT JOIN items AS b ON b.note = a.note": (
        "list[Owner | None]"
    ),
    "SELECT lower(owner) FROM items": "list[str]",
    "SELECT note FROM items": "list[str | None]",
}
PARAMETERS = {
    "DELETE FROM items WHERE owner = @x": "Owner",
    "DELETE FROM items WHERE owner = @x::text": "Owner",
    "DELETE FROM items WHERE owner = ANY(@x::text[])": "Sequence[Owner | None]",
    "DELETE FROM items WHERE owner IN (@x, 'y')": "Owner",
    "UPDATE items SET owner = @x::text": "Owner",
    "UPDATE items SET owner = coalesce(sqlc.narg(x), owner)": "Owner | None",
    "INSERT INTO items (id, owner, parts, labels) VALUES (1, @x::text, '[]', '{}')": (
        "Owner"
    ),
    "INSERT INTO items (id, owner, parts, labels) "
    "SELECT 1, line.owner, '[]', '{}' FROM unnest(@x::text[]) AS line (owner)": (
        "Sequence[Owner | None]"
    ),
    "DELETE FROM items WHERE note = @x::text": "str",
}


def _one(text: str, pattern: str) -> str:
    found = re.search(pattern, text, re.DOTALL)
    assert found, text
    return found[1]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the module of all queries above, overridden by column."""
    queries = "\n".join(
        [
            *(f"-- name: r{n} :many\n{q};" for n, q in enumerate(RESULTS)),
            *(f"-- name: p{n} :exec\n{q};" for n, q in enumerate(PARAMETERS)),
        ]
    )
    folder = tmp_path_factory.mktemp("overrides")
    return Project.write(folder, SCHEMA, queries, COLUMN).generated()["queries.py"]


@pytest.mark.parametrize("query", RESULTS)
def test_a_columns_override_reaches_results(query: str, generated: str) -> None:
    """Through aliases, casts to its own type, CTEs and subselects, not expressions."""
    number = list(RESULTS).index(query)
    returned = _one(generated, rf"def r{number}\([^)]*\) -> (.*?):\n")
    assert returned == RESULTS[query]


@pytest.mark.parametrize("query", PARAMETERS)
def test_a_columns_override_reaches_parameters(query: str, generated: str) -> None:
    """Through comparisons, casts, arrays and inserts of unnested arrays."""
    number = list(PARAMETERS).index(query)
    accepted = _one(generated, rf"def p{number}\(.*?x: (.*?),?\n?\) -> None:")
    assert accepted == PARAMETERS[query]


def test_a_types_override_reaches_everything(
    project: Callable[..., Project],
) -> None:
    """A domain's override holds for its columns, arrays and parameters."""
    queries = """
-- name: get :many
SELECT * FROM items WHERE id = @id AND id = ANY(@ids::item_id[]);
-- name: ids :one
SELECT array_agg(id) FROM items;
"""
    files = project(SCHEMA, queries, TYPE).generated()
    assert "    id: ItemId\n" in files["models.py"]
    assert "    ids: Sequence[ItemId | None],\n" in files["queries.py"]
    assert "    id: ItemId,\n" in files["queries.py"]
    assert "list[ItemId | None] | None" in files["queries.py"]
    assert "ItemId(row[0])" in files["models.py"]


def test_nullable_narrows_an_override(project: Callable[..., Project]) -> None:
    """`nullable` keeps an override to columns that may, or may not, be NULL."""
    options = "{overrides: [{db_type: text, nullable: true, py_type: 'app:Note'}]}"
    queries = "-- name: get :many\nSELECT owner, note FROM items;"
    output = project(SCHEMA, queries, options).generated()["queries.py"]
    assert "    owner: str\n    note: Note | None\n" in output


def test_converters_are_called_both_ways(project: Callable[..., Project]) -> None:
    """`from_db` gets psycopg's value; `to_db` gives what the parameter would take."""
    options = (
        "{overrides: [{column: items.parts, py_type: {import: app, type: Parts}, "
        "from_db: 'app:Parts.load', to_db: 'app.out:dump'}]}"
    )
    queries = "-- name: put :one\nUPDATE items SET parts = @parts RETURNING parts, id;"
    output = project(SCHEMA, queries, options).generated()["queries.py"]
    assert "from app import Parts\nfrom app.out import dump\n" in output
    assert "PutRow(Parts.load(row[0]), row[1])" in output
    assert "(Jsonb(dump(parts)),)" in output
