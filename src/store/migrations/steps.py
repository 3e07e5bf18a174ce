"""One migration after the other, each in a session of its own.

So none sees what another has left: settings, a role, temporary tables.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from psycopg import Connection

from ..errors import MigrationError
from ..settings import DatabaseSettings
from . import dbmate, ledger, outside
from .dbmate import Progress
from .files import MigrationFile, Section

__all__ = ["down", "up"]

_ATTEMPTS = 10
_PAUSE_SECONDS = 1.0

# A lock that was not to be had in time, and a deadlock.
_PASSING = {"55P03", "40P01"}


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
        _take(conn, settings, file, "up", progress)


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
    _take(conn, settings, newest, "down", progress)


def _take(
    conn: Connection[Any],
    settings: DatabaseSettings,
    file: MigrationFile,
    section: Section,
    progress: Progress,
) -> None:
    """Take a step, again where a lock could not be had: who waited behind it is served.

    Nothing of it is done by then. With a `lock_timeout` of the URL's own it waits once.
    """
    url = settings.database_url_direct.get_secret_value()
    attempts = 1 if "lock_timeout" in dbmate.options(url) else _ATTEMPTS
    part = file.part(section)
    alone = part is not None and not part.in_transaction
    for left in reversed(range(attempts)):
        try:
            if alone:
                outside.run(conn, settings, file, section, progress=progress)
            else:
                command = "migrate" if section == "up" else "rollback"
                dbmate.run(settings, [file], command, progress=progress)
        except MigrationError as error:
            if not left or error.sqlstate not in _PASSING:
                raise
            if outside.read(conn) or (alone and not outside.is_atomic(file, section)):
                raise
            progress(f"Waiting: {file.name} for a lock that another session holds")
            time.sleep(_PAUSE_SECONDS)
        else:
            return
