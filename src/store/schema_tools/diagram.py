"""The schema's page: an entity-relationship diagram in Mermaid, and every table.

Written from a live catalog, in the order of its names, so that one schema always gives
one text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psycopg import Connection

from generated.internal import catalog

from ..errors import MigrationError
from ..migrations import connections, dbmate
from ..settings import DatabaseSettings

__all__ = ["PAGE", "page", "update"]

PAGE = Path("docs/schema.md")

_DEFAULT_SCHEMA = "public"
_KEYS = {"p": "PK", "f": "FK", "u": "UK"}
_SHORT_TYPES = {
    "character varying": "varchar",
    "timestamp with time zone": "timestamptz",
}


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    comment: str | None
    columns: list[catalog.ListColumnsRow]
    constraints: list[catalog.ListConstraintsRow]
    indexes: list[catalog.ListIndexesRow]


def update(
    settings: DatabaseSettings, *, path: Path = PAGE, check: bool = False
) -> bool:
    """Write the page of the settings' database, and tell whether it differed.

    With `check` it only tells.

    Raises:
        MigrationError: the database cannot be reached, or the page not be written.
    """
    try:
        with connections.opened(settings) as conn:
            text = page(conn, settings.database_schema or _DEFAULT_SCHEMA)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return False
        if not check:
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise MigrationError(f"cannot write {path}: {error}") from None
    return True


def page(conn: Connection[Any], schema: str = _DEFAULT_SCHEMA) -> str:
    """Give the page of a schema in Markdown, without dbmate's own table.

    Raises:
        psycopg.Error: the catalog cannot be read.
    """
    tables = list(_tables(conn, schema))
    sections = [line for table in tables for line in _section(table)]
    domains = _domains(catalog.list_domains(conn, schema=schema))
    return "\n".join([*_HEADER, *_diagram(tables), *sections, *domains, ""])


_HEADER = (
    "# Schema",
    "",
    "<!-- Written by `make schema-diagram` from a migrated database. DO NOT EDIT. -->",
    "",
)


def _tables(conn: Connection[Any], schema: str) -> Iterator[_Table]:
    columns = catalog.list_columns(conn, schema=schema)
    constraints = catalog.list_constraints(conn, schema=schema)
    indexes = catalog.list_indexes(conn, schema=schema)
    for table in catalog.list_tables(conn, schema=schema):
        if table.name != dbmate.LEDGER:
            yield _Table(
                table.name,
                table.comment,
                [row for row in columns if row.table_name == table.name],
                [row for row in constraints if row.table_name == table.name],
                [row for row in indexes if row.table_name == table.name],
            )


def _diagram(tables: list[_Table]) -> Iterator[str]:
    yield "```mermaid"
    yield "erDiagram"
    for table in tables:
        for constraint in table.constraints:
            if constraint.kind == "f":
                yield f"    {_relation(table, constraint)}"
    for table in tables:
        yield f"    {table.name} {{"
        for column in table.columns:
            yield f"        {_attribute(table, column)}"
        yield "    }"
    yield "```"
    yield ""


def _relation(table: _Table, key: catalog.ListConstraintsRow) -> str:
    """Draw a foreign key: whether its column may be NULL, and whether it is unique."""
    required = all(c.is_not_null for c in table.columns if c.name == key.columns)
    unique = any(k.kind in "pu" and k.columns == key.columns for k in table.constraints)
    ends = f"{'||' if required else '|o'}--{'o|' if unique else 'o{'}"
    return f"{key.referenced_table} {ends} {table.name} : {key.columns}"


def _attribute(table: _Table, column: catalog.ListColumnsRow) -> str:
    # Mermaid takes no blanks or commas in a type, and no quotation marks in a note.
    kind = re.sub(r"[^\w()\[\]-]", "_", _short(column.type))
    keys = ", ".join(
        mark
        for letter, mark in _KEYS.items()
        if any(
            k.kind == letter and column.name in (k.columns or "").split(", ")
            for k in table.constraints
        )
    )
    note = (column.comment or "").replace('"', "'")
    return " ".join(filter(None, (kind, column.name, keys, note and f'"{note}"')))


def _section(table: _Table) -> Iterator[str]:
    yield f"## {table.name}"
    yield ""
    yield from _paragraph(table.comment)
    yield from _grid(
        "column | type | NULL | default | note",
        (
            (
                f"`{column.name}`",
                f"`{_short(column.type)}`",
                "" if column.is_not_null else "yes",
                _code(column.default),
                column.comment,
            )
            for column in table.columns
        ),
    )
    yield from _grid(
        "constraint | rule | note",
        (
            (f"`{row.name}`", _code(row.definition), row.comment)
            for row in table.constraints
        ),
    )
    yield from _grid(
        "index | on | note",
        ((f"`{row.name}`", _code(_indexed(row)), row.comment) for row in table.indexes),
    )


def _indexed(row: catalog.ListIndexesRow) -> str:
    """Leave out of an index's definition what the row says already."""
    _, _, columns = row.definition.partition(" USING btree ")
    return f"{'unique ' if row.is_unique else ''}{columns or row.definition}"


def _domains(domains: list[catalog.ListDomainsRow]) -> Iterator[str]:
    yield "## Domains"
    yield ""
    yield from _grid(
        "domain | type | rule | note",
        (
            (
                f"`{row.name}`",
                _code(_short(row.base_type)),
                _code(row.checks),
                row.comment,
            )
            for row in domains
        ),
    )


def _paragraph(text: str | None) -> tuple[str, ...]:
    return (text, "") if text else ()


def _grid(header: str, rows: Iterable[tuple[str | None, ...]]) -> Iterator[str]:
    """Give a table, or nothing if there are no rows."""
    lines = [" | ".join(_cell(cell) for cell in row) for row in rows]
    if lines:
        yield f"| {header} |"
        yield "|" + "---|" * (header.count("|") + 1)
        yield from (f"| {line} |" for line in lines)
        yield ""


def _cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", r"\|")


def _code(text: str | None) -> str:
    return f"`{text}`" if text else ""


def _short(kind: str) -> str:
    for long, short in _SHORT_TYPES.items():
        kind = kind.replace(long, short)
    return kind
