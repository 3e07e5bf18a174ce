"""Rows for every table of a database, so that migrations meet some.

A row that a rule refuses is tried again with other values. A table that takes none is
reported, with the reason.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import psycopg
from psycopg import Connection, RawCursor

from generated.internal import catalog
from generated.internal.catalog import ListFillableColumnsRow, ListInsertionsRow

from . import values

__all__ = ["Filler"]

# Tables that refer to each other wait for the other's rows.
_ROUNDS = 3
_ATTEMPTS = 80
# Columns that are new to a table that has rows may be left NULL.
_ATTEMPTS_AT_MORE = 4
_SHARE_OF_NULL = 0.3

_Key: TypeAlias = tuple[str, tuple[str | None, ...], tuple[str | None, ...]]
_Row: TypeAlias = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Filler:
    """Fills databases, and remembers what it learned of their types."""

    _seeded: random.Random = field(
        default_factory=lambda: random.Random(5)  # noqa: S311 - the same rows each time
    )
    _known: dict[_Key, list[str]] = field(default_factory=dict[_Key, list[str]])

    def fill(self, conn: Connection[Any]) -> Mapping[str, str]:
        """Insert a few rows into each table; give those that stay empty, and why.

        `conn` is in autocommit.
        """
        tables = catalog.list_insertions(conn)
        waiting = [table for table in tables if _is_empty(conn, table)]
        for table in tables:
            if table not in waiting:
                self._insert(conn, table, attempts=_ATTEMPTS_AT_MORE)
        reasons: dict[str, str] = {}
        for _ in range(_ROUNDS):
            for table in waiting:
                reason = self._insert(conn, table, attempts=_ATTEMPTS)
                reasons[table.table_name] = reason
            waiting = [table for table in waiting if _is_empty(conn, table)]
        return {table.table_name: reasons[table.table_name] for table in waiting}

    def _insert(
        self, conn: Connection[Any], table: ListInsertionsRow, *, attempts: int
    ) -> str:
        """Insert a row, or say why the last attempt failed."""
        maker = _Maker(self._seeded, self._choices(conn, table), _parents(conn, table))
        reason = ""
        for _ in range(attempts):
            row = maker.row()
            given = [row.get(name or "") for name in table.columns]
            try:
                RawCursor(conn).execute(table.insertion.encode(), given)
            except psycopg.Error as error:
                reason = _reason(error)
            else:
                return ""
        return reason

    def _choices(
        self, conn: Connection[Any], table: ListInsertionsRow
    ) -> dict[str, Sequence[str | None]]:
        columns = catalog.list_fillable_columns(conn, table_name=table.table_name)
        return {
            column.name: self._values(conn, column) or [None]
            if column.is_required
            else [None, *self._values(conn, column)]
            for column in columns
        }

    def _values(
        self, conn: Connection[Any], column: ListFillableColumnsRow
    ) -> list[str]:
        key = (column.casting, tuple(column.rules), tuple(column.labels))
        if key not in self._known:
            self._known[key] = values.accepted(conn, column, self._seeded)
        return self._known[key]


@dataclass(frozen=True, slots=True)
class _Parents:
    """Columns that refer to others, and what the others hold."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str | None]]


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes rows of what each column takes; None stands first where it may be NULL."""

    seeded: random.Random
    choices: Mapping[str, Sequence[str | None]]
    parents: Sequence[_Parents]

    def row(self) -> _Row:
        row = {name: self._one_of(taken) for name, taken in self.choices.items()}
        for parents in self.parents:
            absent: Sequence[str | None] = [None] * len(parents.columns)
            optional = all(self.choices[name][0] is None for name in parents.columns)
            left_out = optional and self.seeded.random() < _SHARE_OF_NULL
            referred = self.seeded.choice(parents.rows) if parents.rows else absent
            row |= zip(parents.columns, absent if left_out else referred, strict=True)
        return row

    def _one_of(self, taken: Sequence[str | None]) -> str | None:
        if taken[0] is None and self.seeded.random() < _SHARE_OF_NULL:
            return None
        return self.seeded.choice(taken)


def _parents(conn: Connection[Any], table: ListInsertionsRow) -> list[_Parents]:
    references = catalog.list_fillable_references(conn, table_name=table.table_name)
    return [
        _Parents(
            [name for name in reference.columns if name],
            conn.execute(reference.values.encode()).fetchall(),
        )
        for reference in references
    ]


def _is_empty(conn: Connection[Any], table: ListInsertionsRow) -> bool:
    return conn.execute(table.probe.encode()).fetchone() is None


def _reason(error: psycopg.Error) -> str:
    """Say which rule refuses a row, without the row."""
    where = error.diag.constraint_name or error.diag.column_name
    return f"{error.sqlstate} ({where})" if where else str(error.sqlstate)
