"""What a database says about its types, tables and columns."""

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row


@dataclass(frozen=True, slots=True)
class Type:
    """A type; fields that do not concern its kind are 0 or empty."""

    oid: int
    name: str
    element: int
    base: int
    base_modifier: int
    base_dims: int
    labels: list[str]
    attributes: list[int]


@dataclass(frozen=True, slots=True)
class Column:
    """A column that can be written."""

    name: str
    number: int
    type: int
    modifier: int
    dims: int
    not_null: bool


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """Columns of a table, by number, and what they refer to."""

    columns: list[int]
    target: str
    target_columns: list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `name` is qualified and quoted, as SQL takes it."""

    name: str
    columns: list[Column]
    foreign_keys: list[ForeignKey]


_TYPES = b"""
SELECT t.oid::int8 AS oid, t.typname::text AS name,
    CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE 0 END::int8 AS element,
    t.typbasetype::int8 AS base, t.typtypmod AS base_modifier, t.typndims AS base_dims,
    ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid
        ORDER BY e.enumsortorder) AS labels,
    ARRAY(SELECT a.atttypid::int8 FROM pg_attribute a WHERE a.attrelid = t.typrelid
        AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum) AS attributes
FROM pg_type t
"""
# Those of extensions are full already, or none of the queries' business.
_TABLES = b"""
SELECT c.oid::int8, format('%I.%I', n.nspname, c.relname) FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^(pg_|information_schema$)'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY c.oid
"""
_COLUMNS = b"""
SELECT attname::text AS name, attnum::int4 AS number, atttypid::int8 AS type,
    atttypmod AS modifier, attndims::int4 AS dims, attnotnull AS not_null
FROM pg_attribute
WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
ORDER BY attnum
"""
_FOREIGN_KEYS = b"""
SELECT conkey::int4[] AS columns, format('%I.%I', n.nspname, c.relname) AS target,
    ARRAY(SELECT a.attname::text
        FROM unnest(confkey) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute a ON a.attrelid = confrelid AND a.attnum = k.number
        ORDER BY k.place) AS target_columns
FROM pg_constraint
JOIN pg_class c ON c.oid = confrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE conrelid = $1 AND contype = 'f'
ORDER BY pg_constraint.oid
"""
# In json and jsonb the None of a NOT NULL column is JSON's own null.
_NOT_NULL = b"""
SELECT a.attrelid::int8, a.attnum::int4 FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
WHERE a.attnotnull AND a.attnum > 0 AND c.relkind IN ('r', 'p')
    AND a.atttypid NOT IN ('json'::regtype, 'jsonb'::regtype)
"""


def types(conn: psycopg.Connection[Any]) -> dict[int, Type]:
    """Return all types by OID."""
    cursor = psycopg.RawCursor(conn, row_factory=class_row(Type))
    return {kind.oid: kind for kind in cursor.execute(_TYPES)}


def tables(conn: psycopg.Connection[Any]) -> list[Table]:
    """Return the tables in the order of their making."""
    listed = conn.execute(_TABLES).fetchall()
    return [
        Table(name, _columns(conn, o), _foreign_keys(conn, o)) for o, name in listed
    ]


def not_null(conn: psycopg.Connection[Any]) -> set[tuple[int, int]]:
    """Return the NOT NULL columns of all tables, by OID and number."""
    return set(conn.execute(_NOT_NULL).fetchall())


def _columns(conn: psycopg.Connection[Any], table: int) -> list[Column]:
    cursor = psycopg.RawCursor(conn, row_factory=class_row(Column))
    return cursor.execute(_COLUMNS, [table]).fetchall()


def _foreign_keys(conn: psycopg.Connection[Any], table: int) -> list[ForeignKey]:
    cursor = psycopg.RawCursor(conn, row_factory=class_row(ForeignKey))
    return cursor.execute(_FOREIGN_KEYS, [table]).fetchall()
