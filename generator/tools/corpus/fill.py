"""A case's database: its schema, and rows in every table."""

import importlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import psycopg
from psycopg import errors, sql
from psycopg.rows import dict_row

from generator.tools.corpus import catalog
from generator.tools.corpus.catalog import Column, ForeignKey, Table
from generator.tools.corpus.literals import Drawer, Mined, NoLiteralError

Sample: TypeAlias = dict[str, str | None]

# An extension module without type information.
_pgparse: Any = importlib.import_module("pgparse")
# Each row has its share of NULLs among the columns that allow them.
_SHARES_OF_NULL = (0.0, 0.0, 1.0, 0.5, 0.0, 0.5, 1.0, 0.2)
_ATTEMPTS_PER_ROW = 8
_ROUNDS = 3
# Statements of the queries find their serial ids beyond the rows that are there.
_NEXT_ID = 1000


def apply_schema(conn: psycopg.Connection[Any], texts: Sequence[str]) -> list[str]:
    """Run a schema, one statement after the other; return what failed, and why."""
    failed: list[str] = []
    for text in texts:
        # A dump empties it; for sqlc that ends with the file at the latest.
        conn.execute("RESET search_path")
        failed += [why for each in _statements(text) if (why := _failure(conn, each))]
    return failed


def _failure(conn: psycopg.Connection[Any], statement: bytes) -> str:
    try:
        conn.execute(statement)
    except psycopg.Error as error:
        first = b" ".join(statement.split())[:60].decode(errors="replace")
        return f"{first}: {_reason(error)}"
    return ""


def _statements(text: str) -> list[bytes]:
    encoded = text.encode()
    try:
        parsed: list[dict[str, Any]] = _pgparse.parse(text)
    except _pgparse.PGQueryError:
        return [encoded]
    return [
        encoded[start : start + length] if length else encoded[start:]
        for statement in parsed
        for start in [statement.get("stmt_location", 0)]
        for length in [statement.get("stmt_len", 0)]
    ]


def _reason(error: psycopg.Error) -> str:
    return f"{error.sqlstate} {error.diag.message_primary or error}"


@dataclass(frozen=True, slots=True)
class Filler:
    """Fills the tables of one database."""

    conn: psycopg.Connection[Any]
    drawer: Drawer

    @classmethod
    def of(
        cls, conn: psycopg.Connection[Any], seed: str, texts: Sequence[str]
    ) -> "Filler":
        """Prepare to fill; `texts` are the case's own SQL, where literals are found."""
        seeded = random.Random(seed)  # noqa: S311 - a test's data, the same each time
        return cls(conn, Drawer(seeded, catalog.types(conn), Mined.of(texts)))

    def fill(self) -> list[str]:
        """Insert rows; return the tables that stayed empty, and why."""
        tables = catalog.tables(self.conn)
        reasons: dict[str, str] = {}
        # A table may refer to one that comes later, or to itself.
        for _ in range(_ROUNDS):
            for table in tables:
                reasons[table.name] = self._fill(table)
        self._refresh()
        self._advance_sequences()
        empty = [table.name for table in tables if not self._has_rows(table)]
        return [f"{name}: {reasons[name]}" for name in empty]

    def samples(self) -> list[Sample]:
        """Return the rows of all tables: the text of each value by its column."""
        rows: list[Sample] = []
        for table in catalog.tables(self.conn):
            names = b", ".join(_identifier(c.name) + b"::text" for c in table.columns)
            cursor = self.conn.cursor(row_factory=dict_row)
            found = cursor.execute(b"SELECT %b FROM %b" % (names, table.name.encode()))
            rows += cast("list[Sample]", found.fetchall())
        return rows

    def _fill(self, table: Table) -> str:
        """Insert one row for each share of NULLs; return the last reason to fail."""
        reason = ""
        for share in _SHARES_OF_NULL:
            for _ in range(_ATTEMPTS_PER_ROW):
                try:
                    self._insert(table, share)
                    break
                except NoLiteralError as error:
                    return f"no literal of type {error}"
                except psycopg.Error as error:
                    reason = _reason(error)
        return reason

    def _insert(self, table: Table, share: float) -> None:
        given = self._row(table.columns, share)
        for key in table.foreign_keys:
            if not given.keys() >= set(key.columns):
                # A generated column is computed, whatever it should refer to.
                continue
            given |= self._referring(table, key, given)
        values = list(given.values())
        names = b", ".join(_identifier(c.name) for c in table.columns)
        places = b", ".join(b"$%d" % n for n in range(1, len(values) + 1))
        into = b"INSERT INTO " + table.name.encode()
        text = into + b" (%b) OVERRIDING SYSTEM VALUE VALUES (%b)" % (names, places)
        if not values:
            text = into + b" DEFAULT VALUES"
        psycopg.RawCursor(self.conn).execute(text, values)

    def _row(self, columns: list[Column], share: float) -> dict[int, str | None]:
        seeded = self.drawer.seeded
        return {
            c.number: None
            if not c.not_null and seeded.random() < share
            else self.drawer.draw(c.type, c.modifier, c.dims)
            for c in columns
        }

    def _referring(
        self, table: Table, key: ForeignKey, given: dict[int, str | None]
    ) -> dict[int, str | None]:
        """Let the columns of a key refer to a row that is there."""
        needed = {c.number for c in table.columns if c.not_null}
        if any(given[n] is None for n in key.columns if n not in needed):
            return dict.fromkeys(set(key.columns) - needed)
        names = b", ".join(_identifier(n) + b"::text" for n in key.target_columns)
        rows = self.conn.execute(
            b"SELECT %b FROM %b" % (names, key.target.encode())
        ).fetchall()
        if not rows:
            return dict.fromkeys(set(key.columns) - needed)
        return dict(zip(key.columns, self.drawer.seeded.choice(rows), strict=True))

    def _has_rows(self, table: Table) -> bool:
        found = self.conn.execute(b"SELECT FROM %b LIMIT 1" % table.name.encode())
        return found.fetchone() is not None

    def _refresh(self) -> None:
        views = self.conn.execute(
            b"SELECT oid::regclass::text FROM pg_class WHERE relkind = 'm' ORDER BY oid"
        ).fetchall()
        for [view] in views:
            try:
                self.conn.execute(b"REFRESH MATERIALIZED VIEW %b" % view.encode())
            except errors.DatabaseError:
                continue

    def _advance_sequences(self) -> None:
        self.conn.execute(
            b"SELECT setval(seqrelid::regclass, greatest(seqmin, least(seqmax, %d)))"
            b" FROM pg_sequence" % _NEXT_ID
        )


def _identifier(name: str) -> bytes:
    return sql.Identifier(name).as_bytes(None)
