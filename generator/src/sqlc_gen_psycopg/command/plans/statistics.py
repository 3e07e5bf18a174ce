"""Tables without rows that the planner takes for large ones.

The planner asks the file system how many pages a table has, and takes from the catalog
only how many rows there are to a page (`table_block_relation_estimate_size` in its
source): of an empty file it expects no rows, whatever the statistics say. So each
table gets a new file, by TRUNCATE, which is made as long as that of so many rows would
be. Nothing is written into it: such a file takes no space. All this happens in a
transaction that is rolled back, which removes the new files and brings back the old
ones, with their rows.
"""

import contextlib
import math
from collections.abc import Generator, Iterator, Sequence
from typing import Any, LiteralString, NamedTuple

import psycopg
from psycopg import errors, sql

from sqlc_gen_psycopg.command.config import CannotRunError
from sqlc_gen_psycopg.command.plans import explaining
from sqlc_gen_psycopg.command.plans.settings import Column, Settings

_TABLES = r"""
SELECT
    c.oid, n.nspname, c.relname,
    array_agg(a.attname::text ORDER BY a.attnum),
    array_agg(NOT a.attnotnull ORDER BY a.attnum),
    array_agg(CASE WHEN t.typlen > 0 THEN t.typlen ELSE 32 END ORDER BY a.attnum),
    array_agg(
        CASE
            WHEN t.typname = 'bool' THEN 2
            WHEN t.typtype = 'e'
                THEN (SELECT count(*) FROM pg_enum WHERE enumtypid = t.oid)
            WHEN EXISTS (
                SELECT FROM pg_index AS i
                WHERE i.indrelid = c.oid AND i.indisunique AND i.indpred IS NULL
                AND i.indkey::text = a.attnum::text
            ) THEN -1
            WHEN EXISTS (
                SELECT FROM pg_constraint AS k
                WHERE
                    k.conrelid = c.oid AND k.contype = 'f'
                    AND a.attnum = ANY (k.conkey)
            ) THEN -0.1
            ELSE -0.5
        END::float ORDER BY a.attnum
    ),
    array_agg(
        a.attidentity <> ''
        OR coalesce(pg_get_expr(d.adbin, c.oid) ~ 'now\(\)|nextval', FALSE)
        ORDER BY a.attnum
    )
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_attribute AS a
    ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
INNER JOIN pg_type AS t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE
    c.relkind = 'r' AND c.relpersistence <> 't'
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')
GROUP BY 1, 2, 3
ORDER BY 2, 3
"""
# What refers to another table has to be emptied with it, also as a whole. A part on
# another server stays as it is.
_PARTITIONED = """
SELECT n.nspname, c.relname
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    c.relkind = 'p' AND c.relpersistence <> 't'
    AND NOT EXISTS (
        SELECT FROM pg_partition_tree(c.oid) AS part
        INNER JOIN pg_class AS p ON p.oid = part.relid AND p.relkind = 'f'
    )
"""
_INDEXES = """
SELECT
    c.oid, n.nspname, c.relname, i.indrelid, pg_get_expr(i.indpred, i.indrelid),
    ARRAY(
        SELECT a.attname::text FROM unnest(i.indkey::smallint[]) AS k (number)
        LEFT JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number
    )
FROM pg_index AS i
INNER JOIN pg_class AS c ON c.oid = i.indexrelid AND c.relkind = 'i'
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE i.indrelid = ANY (%s)
ORDER BY 3
"""
_FOREIGN_KEYS = """
SELECT k.conname::text, k.conrelid
FROM pg_constraint AS k
WHERE
    k.contype = 'f' AND k.conrelid = ANY (%s)
    -- One that refers to a partitioned table has another one for each part of it.
    AND NOT EXISTS (
        SELECT FROM pg_constraint AS whole
        WHERE whole.oid = k.conparentid AND whole.conrelid = k.conrelid
    )
    AND NOT EXISTS (
        SELECT FROM pg_index AS i
        WHERE
            i.indrelid = k.conrelid AND i.indpred IS NULL
            AND (i.indkey::smallint[])[0:cardinality(k.conkey) - 1] @> k.conkey
    )
ORDER BY 1
"""
_RELATION_STATISTICS = """
SELECT pg_restore_relation_stats(
    'schemaname', %s::text, 'relname', %s::text,
    'relpages', %s::int, 'reltuples', %s::real, 'relallvisible', %s::int
)
"""
_COLUMN_STATISTICS: LiteralString = """
SELECT pg_restore_attribute_stats(
    'schemaname', %s::text, 'relname', %s::text, 'attname', %s::text,
    'inherited', FALSE,
    'null_frac', %s::real, 'avg_width', %s::int, 'n_distinct', %s::real
"""
_VALUES = ", 'most_common_vals', %s::text, 'most_common_freqs', %s::real[]"
_CORRELATION = ", 'correlation', %s::real"

_FORGET_RELATIONS = """
SELECT pg_clear_relation_stats(n.nspname::text, c.relname::text)
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    c.oid = ANY (%(tables)s)
    OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = ANY (%(tables)s))
"""
_FORGET_COLUMNS = """
SELECT
    pg_clear_attribute_stats(n.nspname::text, c.relname::text, a.attname::text, FALSE)
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_attribute AS a
    ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.oid = ANY (%(tables)s)
"""

_PAGE_BYTES = 8192
_PAGES_PER_FILE = 131_072
_ROW_HEADER_BYTES = 28
_ENTRY_HEADER_BYTES = 20
_FILES_PER_LINE = 200
_OLDEST_SERVER = 180_000


class Relation(NamedTuple):
    """A table, with its columns' names, widths in bytes and numbers of values."""

    oid: int
    schema: str
    name: str
    columns: list[str]
    nullable: list[bool]
    widths: list[int]
    distinct: list[float]
    ascending: list[bool]

    @property
    def shown(self) -> str:
        """Its name in the settings and in what is found."""
        return explaining.shown(self.schema, self.name)


@contextlib.contextmanager
def emptied(conn: psycopg.Connection) -> Generator[list[Relation]]:
    """Give the tables of a database, which are empty until the block ends.

    They are locked until then: the database should be one of its own.

    Raises:
        CannotRunError: the server is too old, or does not let this role do it.
    """
    if conn.info.server_version < _OLDEST_SERVER:
        version = conn.info.parameter_status("server_version")
        raise CannotRunError(
            f"`plans` needs PostgreSQL 18 or newer, whose statistics can be set; this "
            f"server is of {version}; start another one, as in `docker run postgres:18`"
        )
    if conn.info.parameter_status("is_superuser") != "on":
        raise CannotRunError(
            "`plans` makes the files of its tables long, which takes a superuser; name "
            "a database on a server of your own, as in `docker run postgres:18`"
        )
    with conn.transaction(force_rollback=True):
        # Neither triggers, nor a wait without an end for somebody who uses a table.
        conn.execute("SET LOCAL session_replication_role = replica")
        conn.execute("SET LOCAL lock_timeout = '5s'")
        # What several processes read together is as much, told by the number of them.
        conn.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        tables = [Relation(*row) for row in conn.execute(_TABLES)]
        if not tables:
            raise CannotRunError("the database has no tables; apply the schema first")
        forget(conn, tables)
        yield tables


def forget(conn: psycopg.Connection, tables: list[Relation]) -> None:
    """Have the planner take emptied tables for new ones, without any statistics."""
    names = [sql.Identifier(one.schema, one.name) for one in tables]
    names += [sql.Identifier(*row) for row in conn.execute(_PARTITIONED)]
    conn.execute(sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(names)))
    oids = {"tables": [one.oid for one in tables]}
    conn.execute(_FORGET_RELATIONS, oids)
    conn.execute(_FORGET_COLUMNS, oids)


def scale(
    conn: psycopg.Connection, tables: list[Relation], settings: Settings, size: int
) -> None:
    """Have the planner take emptied tables for those of a size.

    Sizes only grow; `forget` is where they begin anew.
    """
    by_oid = {one.oid: one for one in tables}
    pages: list[tuple[int, int]] = []
    for one in tables:
        rows = settings.table(one.shown).rows_at(size)
        width = sum(one.widths) + _ROW_HEADER_BYTES
        pages.append((one.oid, math.ceil(rows * width / _PAGE_BYTES)))
        _set(conn, one.schema, one.name, pages[-1][1], rows)
        for number, column in enumerate(one.columns):
            said = settings.table(one.shown).columns.get(column, Column())
            _set_column(conn, one, number, said, rows)
    _extend(conn, pages)
    indexes: list[tuple[int, int]] = []
    for oid, schema, name, table, predicate, columns in conn.execute(
        _INDEXES, [[*by_oid]]
    ).fetchall():
        one = by_oid[table]
        rows = settings.table(one.shown).rows_at(size)
        if predicate:
            rows = min(rows, _rows_of(conn, one, predicate))
        widths = dict(zip(one.columns, one.widths, strict=True))
        width = sum(widths.get(c, 32) for c in columns) + _ENTRY_HEADER_BYTES
        # Its first page is there, and says where the others are.
        indexes.append((oid, 1 + math.ceil(rows * width / _PAGE_BYTES / 0.9)))
        _set(conn, schema, name, indexes[-1][1], rows)
    _extend(conn, indexes)


def unindexed_foreign_keys(
    conn: psycopg.Connection, tables: list[Relation]
) -> list[tuple[str, str]]:
    """Return the foreign keys, with their tables, that no index finds the rows of."""
    names = {one.oid: one.shown for one in tables}
    found = conn.execute(_FOREIGN_KEYS, [[*names]]).fetchall()
    return [(key, names[table]) for key, table in found]


def _set(
    conn: psycopg.Connection, schema: str, name: str, pages: int, rows: int
) -> None:
    values = [schema, name, pages, rows, pages]
    conn.execute(_RELATION_STATISTICS, values)


def _set_column(
    conn: psycopg.Connection, table: Relation, number: int, said: Column, rows: int
) -> None:
    nulls = said.nulls
    if nulls is None:
        nulls = 0.5 if table.nullable[number] else 0
        if said.values:
            nulls = max(0.0, 1 - sum(said.values.values()))
    distinct = said.distinct or table.distinct[number]
    if said.repeats:
        distinct = -1 / said.repeats
    if said.values:
        distinct = len(said.values)
    # As a share it is of all rows, but NULLs are no values.
    if distinct < 0:
        distinct *= 1 - nulls
    name = table.columns[number]
    values: list[Any] = [table.schema, table.name, name, nulls, table.widths[number]]
    values.append(max(distinct, -1) if rows > 1 else 1)
    call = _COLUMN_STATISTICS
    if said.values:
        call += _VALUES
        ranked = sorted(said.values.items(), key=lambda pair: -pair[1])
        quoted = (value.replace("\\", r"\\").replace('"', r"\"") for value, _ in ranked)
        values.append("{" + ",".join(f'"{value}"' for value in quoted) + "}")
        values.append([share for _, share in ranked])
    elif table.ascending[number]:
        call += _CORRELATION
        values.append(1)
    conn.execute(call + ")", values)


def _rows_of(conn: psycopg.Connection, table: Relation, predicate: str) -> int:
    """Return how many rows a partial index would have, as the planner sees it."""
    asked = sql.SQL("EXPLAIN (FORMAT JSON) SELECT FROM {} WHERE {}").format(
        sql.Identifier(table.schema, table.name),
        sql.SQL(predicate),  # pyright: ignore[reportArgumentType] - the server's own
    )
    [[[explained]]] = conn.execute(asked).fetchall()
    rows: int = explained["Plan"]["Plan Rows"]
    return rows


def _extend(conn: psycopg.Connection, pages: Sequence[tuple[int, int]]) -> None:
    """Make files as long as so many pages are, without writing them."""
    paths: dict[int, str] = dict(
        conn.execute(
            "SELECT oid, pg_relation_filepath(oid) FROM pg_class WHERE oid = ANY (%s)",
            [[oid for oid, _ in pages]],
        ).fetchall()
    )
    full: list[str] = []
    lines: list[str] = []
    for oid, count in pages:
        whole, rest = divmod(count, _PAGES_PER_FILE)
        full += _files(paths[oid], whole)
        last = f".{whole}" if whole else ""
        lines.append(f"truncate -s {rest * _PAGE_BYTES} {paths[oid]}{last}")
    for start in range(0, len(full), _FILES_PER_LINE):
        some = " ".join(full[start : start + _FILES_PER_LINE])
        lines.append(f"truncate -s {_PAGES_PER_FILE * _PAGE_BYTES} {some}")
    copied = sql.SQL("COPY (SELECT unnest({}::text [])) TO PROGRAM 'sh -e'")
    try:
        conn.execute(copied.format(sql.Literal(lines)))
    except errors.ExternalRoutineException as error:
        raise CannotRunError(
            f"the server cannot make files long: {error.diag.message_detail or error}; "
            "it has to have the program `truncate`, as each Linux does"
        ) from error


def _files(path: str, whole: int) -> Iterator[str]:
    return (f"{path}.{number}" if number else path for number in range(whole))
