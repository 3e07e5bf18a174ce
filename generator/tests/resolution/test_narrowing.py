"""What a condition is said to prove is so: no NULL passes it."""

# ruff: noqa: S608 - statements run on a server of the test's own
import itertools
import re
from collections.abc import Generator, Sequence
from typing import NamedTuple

import psycopg
import pytest
from psycopg import RawCursor

from generator.tests.resolution import results
from generator.tests.resolution.results import Column
from generator.tools import prepared
from postgres_testing import databases
from postgres_testing.embedded import Server
from sqlc_gen_psycopg.catalog import rows
from sqlc_gen_psycopg.inference import narrowing
from sqlc_gen_psycopg.inference.analyzer import Analysis, Analyzer
from sqlc_gen_psycopg.naming.sql_names import Name
from sqlc_gen_psycopg.sql import tree
from sqlc_gen_psycopg.sqlc.request import Enum

ENOUGH = 1_000
# What an UPDATE changes without writing it.
DDL = f"""{results.DDL}
CREATE TABLE d (id integer PRIMARY KEY, n integer, m text,
    g integer GENERATED ALWAYS AS (n + 1) STORED);
CREATE TABLE e (id integer PRIMARY KEY, n integer, m text);
CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql
AS 'BEGIN NEW.m := NULL; RETURN NEW; END';
CREATE TRIGGER forget BEFORE UPDATE ON e FOR EACH ROW EXECUTE FUNCTION forget();
CREATE VIEW f AS SELECT * FROM d;
"""
FILL = """
INSERT INTO d VALUES (1, 1, 'x'), (2, NULL, 'y'), (3, 3, NULL);
INSERT INTO e VALUES (1, 1, 'x'), (2, NULL, 'y'), (3, 3, NULL);
"""
# They are hardly drawn.
COMPUTED = [
    "UPDATE d SET n = NULL WHERE g > 0 RETURNING g",
    "UPDATE f SET n = NULL WHERE g > 0 RETURNING g",
    "UPDATE e SET n = NULL WHERE m <> '' RETURNING m",
]
_WRITTEN = {
    "b": {"a_id": "int4", "s": "text", "x": "numeric", "b": "bool", "f": "float8"},
    "d": {"id": "int4", "n": "int4", "m": "text", "g": "int4"},
    "e": {"id": "int4", "n": "int4", "m": "text"},
    "f": {"id": "int4", "n": "int4", "m": "text", "g": "int4"},
}


_PARAMETER = re.compile(r"\$::(\w+(?:\[\])?)")
_NUMBERED = re.compile(r"\$(\d+)::(\w+(?:\[\])?)")
_OF = {results.spelled(kind): values for kind, values in results.VALUES.items()}


class Statements(results.Statements):
    """Draws statements that show all columns of the rows that pass a condition."""

    def statement(self) -> str:
        """Draw a statement; its parameters are `$1` and so on, each with its cast."""
        numbers = itertools.count(1)
        return _PARAMETER.sub(
            lambda found: f"${next(numbers)}::{found[1]}", self._any()
        )

    def _any(self) -> str:
        self._aliases = 0
        drawn = self.random.random()
        if drawn < 0.25:
            return self._changing()
        inner, seen = self._joined()
        listed = ", ".join(f"{c.text} AS c{n}" for n, c in enumerate(seen))
        made = f"SELECT {listed} FROM {inner} WHERE {self.condition(seen, 2)}"
        if drawn < 0.5:
            return f"WITH w AS ({made}) SELECT w.*, x.id FROM w, (SELECT 1 AS id) AS x"
        return made

    def _joined(self) -> tuple[str, list[Column]]:
        text, columns = self._table()
        for _ in range(self.random.randint(0, 2)):
            other, more = self._table()
            join = self.random.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN"])
            columns += more
            text = f"{text} {join} {other} ON {self.condition(columns, 1)}"
        return text, columns

    def _changing(self) -> str:
        table = self.random.choice([*_WRITTEN])
        columns = _WRITTEN[table]
        seen = [Column(f"{table}.{name}", kind) for name, kind in columns.items()]
        listed = ", ".join(column.text for column in seen)
        condition = self.condition(seen, 2)
        if self.random.random() < 0.3 and table != "f":
            return f"DELETE FROM {table} WHERE {condition} RETURNING {listed}"
        # What is generated cannot be written.
        name = self.random.choice([name for name in columns if name not in ("id", "g")])
        value = results.value(columns[name], self.random, 0.7)
        return (
            f"UPDATE {table} SET {name} = {value} WHERE {condition} RETURNING {listed}"
        )

    def condition(self, seen: list[Column], depth: int) -> str:
        """Draw a condition."""
        if depth > 0 and self.random.random() < 0.6:
            one, other = (self.condition(seen, depth - 1) for _ in range(2))
            return self.random.choice(
                [f"({one} AND {other})", f"({one} OR {other})", f"NOT ({one})",
                 f"(({one}) IS TRUE)", f"(({one}) IS NOT TRUE)",
                 f"(({one}) IS NOT FALSE)", f"(({one}) IS FALSE)",
                 f"(({one}) IS UNKNOWN)", f"(({one}) IS NOT UNKNOWN)",
                 f"({one} AND {other})"]
            )  # fmt: skip
        if self.random.random() < 0.3:
            return self._test(seen)
        column = self.random.choice(seen)
        one, kind = column.text, column.kind
        two, three = self._operand(seen, kind), self._operand(seen, kind)
        drawn = [f"{one} IS NOT NULL", f"{one} IS NULL", f"{one}::text LIKE '%'",
                 f"{one} IS DISTINCT FROM {two}", f"coalesce({one}, {two}) = {three}",
                 f"lower({one}::text) <> 'q'", f"NOT {one} IS NULL"]  # fmt: skip
        if kind != "json":
            drawn += [f"{one} = {two}", f"{one} <> {two}", f"{one} IN ({two}, {three})",
                      f"{one} NOT IN ({two}, {three})", f"{one} = ANY (ARRAY[{two}])",
                      f"{one} <> ALL ('{{}}'::{results.spelled(kind)}[])",
                      f"{one} = ANY ('{{}}'::{results.spelled(kind)}[])",
                      f"{one} IN (SELECT {two})", f"{one} NOT IN (SELECT {two})",
                      f"{one} BETWEEN {two} AND {three}",
                      f"{one} NOT BETWEEN SYMMETRIC {two} AND {three}",
                      f"nullif({one}, {two}) = {three}", f"({one}, 1) = ({two}, 1)",
                      f"EXISTS (SELECT 1 WHERE {one} = {two})"]  # fmt: skip
        if kind == "bool":
            drawn += [one, f"NOT {one}"] * 5
        return self.random.choice(drawn)

    def _operand(self, seen: list[Column], kind: str) -> str:
        drawn = self.random.random()
        if drawn < 0.3:
            return f"$::{results.spelled(kind)}"
        fitting = [column.text for column in seen if column.kind == kind]
        if drawn < 0.6:
            return self.random.choice(fitting)
        return results.value(kind, self.random, 0.1)


class Database(NamedTuple):
    """A database with the tables, and the inference that reads conditions, or not."""

    conn: psycopg.Connection
    narrowing: Analyzer
    plain: Analyzer


@pytest.fixture(scope="module")
def database(postgres_server: Server) -> Generator[Database]:
    """Give a database with the tables."""
    with (
        databases.database(postgres_server.url) as url,
        psycopg.connect(url, autocommit=True) as conn,
    ):
        conn.execute(DDL.encode())
        conn.execute("SET statement_timeout = '2s'")
        schema = prepared.schema_of(DDL)
        plain = prepared.analyzer_of(conn, schema)
        mood = Name("", "mood")
        enums = {mood: Enum(mood, ("sad", "ok"), "")}
        narrowing = Analyzer(plain.tables, enums, schema, by_where=True)
        yield Database(conn, narrowing, plain)


def _is_sql(text: str) -> bool:
    try:
        tree.parse(text)
    except tree.InvalidSqlError:
        return False
    return True


def _came(
    conn: psycopg.Connection, text: str, values: Sequence[object]
) -> list[list[bytes | None]] | None:
    """Return the rows of a statement, whose changes are taken back."""
    try:
        with conn.transaction(force_rollback=True):
            came = RawCursor(conn).execute(text.encode(), values).pgresult
            assert came
            # As they come: JSON's null is no NULL.
            return [
                [came.get_value(row, place) for place in range(came.nfields)]
                for row in range(came.ntuples)
            ]
    except psycopg.Error:
        return None


def _lies(analysis: Analysis, came: list[list[bytes | None]]) -> list[int]:
    """Return the columns that are NULL though they are said not to be."""
    return [
        place
        for place, fact in enumerate(analysis.facts)
        if fact.not_null and any(row[place] is None for row in came)
    ]


def test_no_null_passes_a_condition(database: Database) -> None:
    """On each filling, drawn conditions let no NULL through where they are said not to.

    A parameter that is said to take none finds nothing if it is NULL.
    """
    drawn = Statements(2026)
    texts = [*COMPUTED, *(drawn.statement() for _ in range(ENOUGH))]
    found = {
        text: prepared.analyze(database.narrowing, text)
        for text in texts
        if _is_sql(text)
    }
    lies: dict[str, object] = {}
    ran, rejecting = 0, 0
    for fill in results.FILLS:
        database.conn.execute(b"TRUNCATE a, b, c, d, e;" + fill.encode())
        database.conn.execute(FILL.encode())
        for text, analysis in found.items():
            kinds = [kind for _, kind in _NUMBERED.findall(text)]
            values = [drawn.random.choice(_OF[kind]).strip("'") for kind in kinds]
            came = _came(database.conn, text, values)
            if came is not None:
                ran += 1
                if told := _lies(analysis, came):
                    lies[text] = told
            for number in analysis.never_null:
                without: list[str | None] = [*values]
                without[number - 1] = None
                rejecting += 1
                if _came(database.conn, text, without):
                    lies[text] = f"${number} is NULL and finds something"
    assert lies == {}
    assert ran > ENOUGH
    assert rejecting > 100


def test_conditions_prove_something(database: Database) -> None:
    """The claim is not kept by claiming nothing: they add much to what is known."""
    drawn = Statements(2026)
    known, more = 0, 0
    for _ in range(ENOUGH // 4):
        text = drawn.statement()
        if not _is_sql(text):
            continue
        plain, narrowed = (
            {n for n, f in enumerate(prepared.analyze(one, text).facts) if f.not_null}
            for one in (database.plain, database.narrowing)
        )
        assert plain <= narrowed
        known, more = known + len(plain), more + len(narrowed - plain)
    assert more > known / 10


def test_what_is_called_strict_is(database: Database) -> None:
    """Each function in each of its forms, and each operator, of extensions, too."""
    conn = database.conn
    with conn.transaction(force_rollback=True):
        for name in rows.extensions():
            if conn.execute(
                "SELECT 1 FROM pg_available_extensions WHERE name = %s", [name]
            ).fetchone():
                conn.execute(f'CREATE EXTENSION IF NOT EXISTS "{name}"'.encode())
        loose = conn.execute(
            "SELECT DISTINCT proname FROM pg_proc "
            "WHERE NOT proisstrict OR prokind <> 'f' OR proretset"
        ).fetchall()
        operators = conn.execute(
            "SELECT DISTINCT oprname FROM pg_operator AS o "
            "JOIN pg_proc AS p ON p.oid = o.oprcode WHERE NOT p.proisstrict"
        ).fetchall()
        names = conn.execute("SELECT DISTINCT proname FROM pg_proc").fetchall()
    assert narrowing.STRICT_FUNCTIONS & {name for (name,) in loose} == set()
    assert {*names} >= {(name,) for name in narrowing.STRICT_FUNCTIONS}
    assert {name for (name,) in operators} == narrowing.NOT_STRICT
