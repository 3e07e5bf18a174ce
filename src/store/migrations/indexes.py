"""Indexes that look made and are not: INVALID, so that no query uses them.

An interrupted CREATE INDEX CONCURRENTLY leaves one. Run again with IF NOT EXISTS it
does nothing and succeeds, and dbmate records it.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from typing import Any

from psycopg import Connection, errors

from generated.internal import catalog

from ..errors import MigrationError
from ..sql.statements import Statement
from .files import MigrationFile
from .journal import Finding

__all__ = ["invalid", "passed_over", "remove"]

_REBUILT = re.compile(r"_cc(new|old)\d*$")


def invalid(
    conn: Connection[Any], pending: Sequence[MigrationFile] = ()
) -> list[Finding]:
    """List the invalid indexes of a database, each with how to mend it."""
    return [
        Finding(f"index {one.index_name}", _state(one, pending))
        for one in catalog.list_invalid_indexes(conn)
    ]


def passed_over(
    conn: Connection[Any], pending: Sequence[MigrationFile]
) -> list[Finding]:
    """List the invalid indexes that a pending file would make, or take for made."""
    return [
        Finding(f"index {one.index_name}", _state(one, pending))
        for one in catalog.list_invalid_indexes(conn)
        if _makers(one, pending)
    ]


def _makers(
    index: catalog.ListInvalidIndexesRow, pending: Sequence[MigrationFile]
) -> list[str]:
    makes = re.compile(
        r"\bINDEX\s+(CONCURRENTLY\s+)?(IF\s+NOT\s+EXISTS\s+)?"
        rf'"?{re.escape(index.bare_name)}"?\s+ON\b',
        re.IGNORECASE,
    )
    return [file.name for file in pending if makes.search(file.text)]


def _state(
    index: catalog.ListInvalidIndexesRow, pending: Sequence[MigrationFile]
) -> str:
    if index.builder_pid:
        return f"is being built by session {index.builder_pid}: wait until it is done"
    name = index.index_name
    if makers := _makers(index, pending):
        mend = f"DROP INDEX CONCURRENTLY {name}; and let {makers[0]} make it again"
    elif _REBUILT.search(index.bare_name):
        mend = f"DROP INDEX CONCURRENTLY {name}; and repeat the REINDEX"
    else:
        mend = f"REINDEX INDEX CONCURRENTLY {name};"
    return (
        f"on {index.table_name} is INVALID, since what built it was cut off: run {mend}"
    )


def remove(conn: Connection[Any], statement: Statement, before: Container[int]) -> None:
    """Drop what this statement has left INVALID, and nothing else.

    `before` are the indexes (oid) that were INVALID already. What DROP INDEX has made
    INVALID stays: its next run goes on with it.

    Raises:
        MigrationError: an older transaction uses the table, for 5 seconds and longer.
    """
    for one in catalog.list_invalid_indexes(conn):
        if one.index_id in before or one.builder_pid or not _made(statement, one):
            continue
        conn.execute("SET lock_timeout = '5s'")
        try:
            conn.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {one.index_name}".encode())
        except errors.LockNotAvailable:
            raise MigrationError(
                f"index {one.index_name} on {one.table_name} is INVALID, and cannot be "
                "dropped while older transactions use the table: the next run does it"
            ) from None
        finally:
            conn.execute("RESET lock_timeout")


def _made(statement: Statement, index: catalog.ListInvalidIndexesRow) -> bool:
    if statement.kind == "ReindexStmt":
        return bool(_REBUILT.search(index.bare_name))
    if statement.kind != "IndexStmt":
        return False
    if name := statement.node.get("idxname"):
        return bool(index.bare_name == name)
    return bool(index.bare_table == statement.node["relation"]["relname"])
