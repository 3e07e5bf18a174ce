"""Indexes that look made and are not: INVALID, so that no query uses them.

An interrupted CREATE INDEX CONCURRENTLY leaves one. Run again with IF NOT EXISTS it
does nothing and succeeds, and dbmate records it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from generated.internal import catalog

from .files import MigrationFile
from .journal import Finding

__all__ = ["invalid"]


def invalid(
    conn: Connection[Any], pending: Sequence[MigrationFile] = ()
) -> list[Finding]:
    """List the invalid indexes of a database, each with how to mend it."""
    return [
        Finding(f"index {one.index_name}", _state(one, pending))
        for one in catalog.list_invalid_indexes(conn)
    ]


def _state(
    index: catalog.ListInvalidIndexesRow, pending: Sequence[MigrationFile]
) -> str:
    if index.builder_pid:
        return f"is being built by session {index.builder_pid}: wait until it is done"
    name = index.index_name
    bare = re.escape(name.rpartition(".")[2].strip('"'))
    makers = [file.name for file in pending if re.search(rf"\b{bare}\b", file.text)]
    if makers:
        mend = f"DROP INDEX CONCURRENTLY {name}; and let {makers[0]} make it again"
    elif re.search(r"_cc(new|old)\d*$", bare):
        mend = f"DROP INDEX CONCURRENTLY {name}; and repeat the REINDEX"
    else:
        mend = f"REINDEX INDEX CONCURRENTLY {name};"
    return (
        f"on {index.table_name} is INVALID, since what built it was cut off: run {mend}"
    )
