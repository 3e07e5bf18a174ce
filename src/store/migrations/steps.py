"""One migration after the other, each in a session of its own.

So none sees what another has left: settings, a role, temporary tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from ..settings import DatabaseSettings
from . import dbmate, ledger, outside
from .dbmate import Progress
from .files import MigrationFile

__all__ = ["down", "up"]


def up(
    conn: Connection[Any],
    settings: DatabaseSettings,
    migrations: Sequence[MigrationFile],
    *,
    progress: Progress = dbmate.silent,
) -> None:
    """Apply what is pending; `conn` is an autocommit connection to the same database.

    Raises:
        MigrationError: one failed; those before it are applied.
    """
    applied = ledger.read(conn)
    for file in migrations:
        if file.number in applied:
            continue
        part = file.part("up")
        if part is None or part.in_transaction:
            dbmate.run(settings, [file], "migrate", progress=progress)
        else:
            outside.run(conn, settings, file, "up", progress=progress)


def down(
    conn: Connection[Any],
    settings: DatabaseSettings,
    newest: MigrationFile,
    *,
    progress: Progress = dbmate.silent,
) -> None:
    """Take back the newest of what is applied.

    Raises:
        MigrationError: its down part failed.
    """
    part = newest.part("down")
    if part is None or part.in_transaction:
        dbmate.run(settings, [newest], "rollback", progress=progress)
    else:
        outside.run(conn, settings, newest, "down", progress=progress)
