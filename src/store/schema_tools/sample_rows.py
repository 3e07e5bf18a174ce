"""Rows for every table of a database, so that migrations meet some.

A row that a rule refuses is tried again with other values. A table that takes none is
reported, with the reason. One that has rows gets more only while its shape is new.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import psycopg
from psycopg import Connection, RawCursor

from generated.internal import catalog
from generated.internal.catalog import (
    ListFillableColumnsRow,
    ListFillableReferencesRow,
    ListInsertionsRow,
)

from . import sample_values

__all__ = ["Filler"]

# Tables that refer to each other wait for the other's rows.
_ROUNDS = 3
_ATTEMPTS = 80
# Columns that are new to a table that has rows may be left NULL.
_ATTEMPTS_AT_MORE = 4
# How often a table that has rows gets more, of each of its shapes.
_FILLS_OF_A_SHAPE = 3
_SHARE_OF_NULL = 0.3

_Key: TypeAlias = tuple[str, tuple[str | None, ...], tuple[str | None, ...]]
_Row: TypeAlias = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class _Table:
    """A table, one of the INSERTs into it, and what that has to keep to."""

    insertion: ListInsertionsRow
    columns: Sequence[ListFillableColumnsRow]
    references: Sequence[ListFillableReferencesRow]

    @property
    def name(self) -> str:
        return self.insertion.table_name

    @property
    def shape(self) -> str:
        """All of it: what is equal takes the same rows."""
        return repr(self)


@dataclass(frozen=True, slots=True)
class Filler:
    """Fills databases, and remembers what it learned of their tables and types."""

    _seeded: random.Random = field(
        default_factory=lambda: random.Random(5)  # noqa: S311 - the same rows each time
    )
    _known: dict[_Key, list[str]] = field(default_factory=dict[_Key, list[str]])
    _fills: Counter[str] = field(default_factory=Counter[str])

    def fill(self, conn: Connection[Any]) -> Mapping[str, str]:
        """Insert a few rows into each table; give those that stay empty, and why.

        `conn` is in autocommit.
        """
        tables = _tables(conn)
        waiting = _empty(conn, tables)
        for table in tables:
            if table not in waiting and self._fills[table.shape] < _FILLS_OF_A_SHAPE:
                self._insert(conn, table, attempts=_ATTEMPTS_AT_MORE)
        reasons: dict[str, str] = {}
        for _ in range(_ROUNDS):
            for table in waiting:
                reasons[table.name] = self._insert(conn, table, attempts=_ATTEMPTS)
            waiting = _empty(conn, waiting)
        return {table.name: reasons[table.name] for table in waiting}

    def _insert(self, conn: Connection[Any], table: _Table, *, attempts: int) -> str:
        """Insert a row, or say why the last attempt failed."""
        self._fills[table.shape] += 1
        choices = self._choices(conn, table.columns)
        maker = _Maker(self._seeded, choices, _parents(conn, table.references))
        insertion = table.insertion
        reason = ""
        for _ in range(attempts):
            row = maker.row()
            given = [row.get(name or "") for name in insertion.columns]
            try:
                RawCursor(conn).execute(insertion.insertion.encode(), given)
            except psycopg.Error as error:
                reason = _reason(error)
            else:
                return ""
        return reason

    def _choices(
        self, conn: Connection[Any], columns: Sequence[ListFillableColumnsRow]
    ) -> dict[str, Sequence[str | None]]:
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
            self._known[key] = sample_values.accepted(conn, column, self._seeded)
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


def _parents(
    conn: Connection[Any], references: Sequence[ListFillableReferencesRow]
) -> list[_Parents]:
    return [
        _Parents(
            [name for name in reference.columns if name],
            conn.execute(reference.values.encode()).fetchall(),
        )
        for reference in references
    ]


def _tables(conn: Connection[Any]) -> list[_Table]:
    insertions = catalog.list_insertions(conn)
    names = sorted({insertion.table_name for insertion in insertions})
    columns: dict[str, list[ListFillableColumnsRow]] = {name: [] for name in names}
    for column in catalog.list_fillable_columns(conn, table_names=names):
        columns[column.table_name].append(column)
    references: dict[str, list[ListFillableReferencesRow]] = {n: [] for n in names}
    for reference in catalog.list_fillable_references(conn, table_names=names):
        references[reference.table_name].append(reference)
    return [
        _Table(one, columns[one.table_name], references[one.table_name])
        for one in insertions
    ]


def _empty(conn: Connection[Any], tables: Sequence[_Table]) -> list[_Table]:
    if not tables:
        return []
    probes = [
        f"SELECT {place} WHERE NOT EXISTS ({table.insertion.probe})"
        for place, table in enumerate(tables)
    ]
    found = conn.execute(" UNION ALL ".join(probes).encode()).fetchall()
    return [tables[place] for (place,) in sorted(found)]


def _reason(error: psycopg.Error) -> str:
    """Say which rule refuses a row, without the row."""
    where = error.diag.constraint_name or error.diag.column_name
    return f"{error.sqlstate} ({where})" if where else str(error.sqlstate)
