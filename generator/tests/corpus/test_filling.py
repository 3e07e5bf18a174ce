"""Tables are filled, columns traced to them, and faults laid at the right door."""

import psycopg
import pytest

from generator.tests.corpus.cases import SCHEMA
from generator.tools.corpus import faults, fill, origins


@pytest.mark.parametrize(
    ("query", "columns"),
    [
        ("SELECT id, note, label || 'x' FROM i", [("i", 1), ("i", 3), None]),
        ("SELECT o.id, i.id FROM o LEFT JOIN i ON i.o_id = o.id", [("o", 1), None]),
        ("SELECT o.id, i.id FROM o RIGHT JOIN i ON i.o_id = o.id", [None, ("i", 1)]),
        ("SELECT id FROM o JOIN (SELECT id FROM i) AS s USING (id)", [("o", 1)]),
        ("WITH c AS (SELECT label FROM i) SELECT label FROM c", [("i", 2)]),
        ("SELECT s.id FROM o LEFT JOIN (SELECT id FROM i) s ON true", [None]),
        ("SELECT label, count(*) FROM i GROUP BY label", [("i", 2), None]),
        ("SELECT label, count(*) FROM i GROUP BY ROLLUP (label)", [None, None]),
        ("SELECT id FROM i UNION SELECT id FROM o", []),
        ("UPDATE i SET note = $1 WHERE id = $2 RETURNING label", [("i", 2)]),
        ("SELECT id AS \":x {\" FROM o WHERE 'a } :b (' = $1", [("o", 1)]),
    ],
)
def test_columns_come_from_tables(
    conn: psycopg.Connection, query: str, columns: list[tuple[str, int] | None]
) -> None:
    """A plain column is traced to its table, unless an outer join touches it."""
    conn.execute("CREATE TEMP TABLE o (id int PRIMARY KEY)")
    conn.execute("CREATE TEMP TABLE i (id int, label text, note text, o_id int)")
    row = conn.execute("SELECT 'o'::regclass::oid, 'i'::regclass::oid").fetchone()
    assert row
    names = {row[0]: "o", row[1]: "i"}
    found = origins.prepare(conn, query).origins
    assert [f and (names[f[0]], f[1]) for f in found] == columns


def test_tables_are_filled(conn: psycopg.Connection) -> None:
    """Rows fit keys and CHECKs; some have every column, some only what they must."""
    conn.execute("CREATE SCHEMA s")
    assert fill.apply_schema(conn, [f"SET search_path TO s; {SCHEMA}"]) == []
    empty = fill.Filler.of(conn, "seed", [SCHEMA]).fill()
    assert [told for told in empty if told.startswith("s.")] == []
    rows = conn.execute("SELECT label, note FROM s.items").fetchall()
    assert {row[0] for row in rows} == {"new", "used"}
    assert {row[1] is None for row in rows} == {True, False}


def test_foreign_keys_are_followed(conn: psycopg.Connection) -> None:
    """A key that chance would not hit refers to a row that is there."""
    names = "a, b, c, d, e, f, g, h, i, j, k, l"
    key = names.replace(",", " int NOT NULL,") + " int NOT NULL"
    conn.execute(f"CREATE TABLE kept ({key}, PRIMARY KEY ({names}))".encode())
    refers = f"FOREIGN KEY ({names}) REFERENCES kept"
    conn.execute(f"CREATE TABLE referring ({key}, {refers})".encode())
    fill.Filler.of(conn, "seed", []).fill()
    assert conn.execute("SELECT count(*) FROM referring").fetchone() != (0,)


def test_keys_of_generated_columns_are_left_alone(conn: psycopg.Connection) -> None:
    """A generated column may refer to another table: nothing is given for it."""
    conn.execute("CREATE TABLE kept (id int PRIMARY KEY)")
    conn.execute(
        "CREATE TABLE made (n int, id int GENERATED ALWAYS AS (nullif(n, n)) STORED "
        "REFERENCES kept)"
    )
    fill.Filler.of(conn, "seed", []).fill()
    assert conn.execute("SELECT count(*) FROM made").fetchone() != (0,)


def test_failing_statement_of_a_schema_is_told(conn: psycopg.Connection) -> None:
    """A statement that fails is told, and does not keep the others back."""
    failed = fill.apply_schema(conn, ["CREATE EXTENSION nowhere; CREATE TABLE x ()"])
    assert [told.split(":")[0] for told in failed] == ["CREATE EXTENSION nowhere"]
    assert conn.execute("SELECT to_regclass('x')").fetchone() == ("x",)


def test_a_dump_in_a_schema_keeps_its_settings(conn: psycopg.Connection) -> None:
    """The files after a dump find their tables as sqlc does."""
    dump = "SELECT set_config('search_path', '', false); CREATE TABLE public.x (i int)"
    assert fill.apply_schema(conn, [dump, "ALTER TABLE x ADD y int"]) == []


@pytest.mark.parametrize(
    ("statement", "ours"),
    [
        ("SELECT 1 / 0", False),
        ("INSERT INTO order_items (class) VALUES ('a')", False),
        ("SELECT 'x'::int", False),
        ("SELECT to_tsquery('a b')", False),
        ("SELECT 1 = ARRAY['x']", True),
        ("SELECT nowhere", True),
    ],
)
def test_blame(conn: psycopg.Connection, statement: str, ours: bool) -> None:
    """Values and rows are the data's fault, types and names are ours."""
    with pytest.raises(psycopg.Error) as caught:
        conn.execute(statement.encode())
    assert faults.is_ours(caught.value) is ours
