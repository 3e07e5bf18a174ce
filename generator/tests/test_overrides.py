"""An override reaches every value of its column or type, whatever way it takes."""

import re
from collections.abc import Callable
from pathlib import Path

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


VIEWS = """
CREATE TABLE lines (id integer PRIMARY KEY, owner text NOT NULL, data jsonb NOT NULL);
CREATE VIEW totals AS
SELECT owner AS boss, jsonb_agg(data) AS items, count(*) AS n FROM lines GROUP BY owner;
CREATE VIEW bosses AS SELECT t.boss, t.items AS things FROM totals AS t;
"""
OF_VIEWS = """{overrides: [
    {query: listed.items, py_type: 'app:Own', from_db: 'app:Own.load'},
    {column: totals.items, py_type: 'app:Items', from_db: 'app:Items.load'},
    {column: lines.owner, py_type: 'app:Owner'},
    {query: counted.n, py_type: 'app:Count'},
    {query: marked.xs, py_type: 'app:Xs'}]%s}"""
# Queries, and the fields of their rows, or what each row is.
THROUGH_VIEWS = {
    "SELECT items, n FROM totals": "items: Items n: int",
    "SELECT * FROM totals": "boss: Owner items: Items n: int",
    "WITH w AS (SELECT * FROM totals) SELECT w.items, 1.5 AS x FROM w": (
        "items: Items x: Decimal"
    ),
    "SELECT s.i, s.i AS j FROM (SELECT t.items AS i FROM totals AS t) AS s": (
        "i: Items j: Items"
    ),
    "SELECT things, boss FROM bosses": "things: Items boss: Owner",
    "SELECT b.things FROM lines LEFT JOIN bosses AS b ON b.boss = lines.owner": (
        "Items | None"
    ),
    "SELECT upper(boss) FROM bosses": "str",
}
OF_QUERIES = {
    "listed": ("SELECT boss, items FROM totals", "boss: Owner items: Own"),
    "counted": ("SELECT * FROM totals", "boss: Owner items: Items n: Count"),
    "marked": ('SELECT array_agg(id) AS "xs!" FROM lines', "list[Xs | None]"),
}


@pytest.mark.parametrize("kind", ["dataclass", "pydantic"])
def test_overrides_reach_through_views(kind: str, tmp_path: Path) -> None:
    """A view's own column, the one that it comes from, and one query's result."""
    expected = {f"q{n}": shown for n, shown in enumerate(THROUGH_VIEWS.values())}
    texts = {f"q{n}": text for n, text in enumerate(THROUGH_VIEWS)}
    texts |= {name: text for name, (text, _) in OF_QUERIES.items()}
    expected |= {name: shown for name, (_, shown) in OF_QUERIES.items()}
    queries = "\n".join(f"-- name: {n} :many\n{text};" for n, text in texts.items())
    options = OF_VIEWS % f", model_kind: {kind}"
    files = Project.write(tmp_path, VIEWS, queries, options).generated()
    text = files["queries.py"] + files["models.py"]
    classes = dict(
        re.findall(r"\nclass (\w+)[^\n]*:\n(.*?)(?=\n\n\n)", text, re.DOTALL)
    )
    for name, shown in expected.items():
        row = _one(files["queries.py"], rf"def {name}\([^)]*\) -> list\[(.*?)\]:\n")
        body = classes.get(row.removeprefix("models."), "")
        fields = re.findall(r"^    (\w+: .*)$", body, re.MULTILINE)
        assert " ".join(fields) == shown or row == shown, name
    assert "Items.load(row[" in files["queries.py"]


def test_parameters_beside_views_are_overridden(
    project: Callable[..., Project],
) -> None:
    """A parameter is as the column that a view's comes from."""
    queries = "-- name: get :many\nSELECT things FROM bosses WHERE boss = @boss;"
    options = "{overrides: [{column: lines.owner, py_type: 'app:Owner'}]}"
    output = project(VIEWS, queries, options).generated()["queries.py"]
    assert "boss: Owner" in output


def test_an_override_of_json_comes_before_what_it_holds(
    project: Callable[..., Project],
) -> None:
    """What is built of JSON is the override's, be it by type, view or query."""
    options = """{overrides: [
        {db_type: jsonb, py_type: 'app:Data'},
        {db_type: text, py_type: str, from_db: 'app:cleaned'}]}"""
    queries = """
-- name: built :one
SELECT jsonb_build_object('a', 1) AS a, json_build_object('a', 1) AS b, 'c' AS c;
"""
    output = project(VIEWS, queries, options).generated()["queries.py"]
    assert "    a: Data\n    b: BuiltB\n    c: str\n" in output
