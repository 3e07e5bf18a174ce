"""One migration after the other, each as in a session of its own.

So none sees what another has left: settings, a role, temporary tables. Where a row of
them shares dbmate's process, each resets the session before its own SQL.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from typing import Any

from psycopg import Connection

from ..errors import MigrationError
from ..settings import DatabaseSettings
from . import dbmate, ledger, outside, urls
from .dbmate import Progress
from .files import MigrationFile, Section

__all__ = ["down", "up"]

_ATTEMPTS = 10
_PAUSE_SECONDS = 1.0

# A lock that was not to be had in time, and a deadlock.
_PASSING = {"55P03", "40P01"}

# What a reset in a transaction does not undo: only a new session takes the new defaults
# of a database or a role, begins its transaction by its own, and is rid of a library.
# A setting of one's own (app.user) is '' for ever where it was once set, even LOCAL and
# rolled back; before it was NULL (current_setting with missing_ok; 15 and 18 alike).
_LASTING = re.compile(
    r"\b(ALTER\s+(DATABASE|ROLE|USER|SYSTEM)|LISTEN|LOAD|CHARACTERISTICS"
    r"|default_transaction_\w+|set_config"
    r"|SET\s+((LOCAL|SESSION)\s+)?\W?\w+\W?\.\W?\w+)\b",
    re.IGNORECASE,
)


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
    for row in _rows([one for one in migrations if one.number not in applied]):
        _take(conn, settings, row, "up", progress)


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
    _take(conn, settings, [newest], "down", progress)


def _rows(pending: Sequence[MigrationFile]) -> Iterator[list[MigrationFile]]:
    """Give what may share a process; what is outside of a transaction is alone."""
    row: list[MigrationFile] = []
    for file in pending:
        if _is_alone(file, "up"):
            if row:
                yield row
            yield [file]
            row = []
            continue
        row.append(file)
        if _LASTING.search(file.text):
            yield row
            row = []
    if row:
        yield row


def _is_alone(file: MigrationFile, section: Section) -> bool:
    part = file.part(section)
    return part is not None and not part.in_transaction


def _take(
    conn: Connection[Any],
    settings: DatabaseSettings,
    row: Sequence[MigrationFile],
    section: Section,
    progress: Progress,
) -> None:
    """Take steps, again where a lock could not be had: who waited behind it is served.

    Nothing of that step is done by then. With a `lock_timeout` of the URL's own it
    waits once.
    """
    url = settings.database_url_direct.get_secret_value()
    attempts = 1 if "lock_timeout" in urls.options(url) else _ATTEMPTS
    alone = _is_alone(row[0], section)
    left = attempts
    while True:
        try:
            if alone:
                outside.run(conn, settings, row[0], section, progress=progress)
            else:
                command = "migrate" if section == "up" else "rollback"
                dbmate.run(settings, row, command, through=conn, progress=progress)
        except MigrationError as error:
            if error.sqlstate not in _PASSING:
                raise
            applied = ledger.read(conn)
            due = [one for one in row if (one.number in applied) == (section == "down")]
            left = attempts if len(due) < len(row) else left
            left -= 1
            if not left or not due or outside.read(conn):
                raise
            if alone and not outside.is_atomic(due[0], section):
                raise
            row = due
            progress(f"Waiting: {row[0].name} for a lock that another session holds")
            time.sleep(_PAUSE_SECONDS)
        else:
            return
