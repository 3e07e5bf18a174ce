"""The migration lock, held while anything changes.

It is the lock that `dbmate --migration-lock` takes, so that such runs wait for ours,
but taken by us: dbmate has it for `up` alone, and waits for it in a statement, for
which CREATE INDEX CONCURRENTLY waits in turn.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from psycopg import Connection

from generated.internal import catalog

from ..errors import MigrationError
from ..settings import DatabaseSettings
from . import connections, dbmate
from .dbmate import Progress

__all__ = ["SECONDS", "end_migrations", "held", "waits_for"]

SECONDS = 300.0
_PAUSE_SECONDS = 0.1

_LOST = (
    "the connection that holds the migration lock was lost: look with make "
    "migrate-status at what is there, then run the same again"
)


@contextmanager
def held(
    settings: DatabaseSettings,
    *,
    create: bool = False,
    pooler_allowed: bool = False,
    progress: Progress,
    lock_seconds: float = SECONDS,
) -> Generator[Connection[Any]]:
    """Give an autocommit connection that holds the migration lock until the block ends.

    With `create` it waits 10 seconds for the server, and creates the database.

    Raises:
        MigrationError: the URL looks like a pooler's, nobody answers, the lock could
            not be had in time, or the connection was lost within the block.
    """
    if not pooler_allowed:
        connections.refuse_pooled(settings)
    with connections.opened(
        settings, create=create, progress=progress, lost=_LOST
    ) as conn:
        if not pooler_allowed:
            connections.refuse_behind(conn)
        _take_lock(conn, progress, time.monotonic() + lock_seconds)
        yield conn


def end_migrations(conn: Connection[Any]) -> None:
    """End what a run's migrations still do on the server; the lock is the caller's.

    Raises:
        MigrationError: a session has not ended after 5 seconds.
    """
    ended = catalog.end_sessions_of(conn, application_name=dbmate.APPLICATION_NAME)
    if not all(ended):
        raise MigrationError(
            "a session of this run does not end: the next run waits for it"
        )


def waits_for(conn: Connection[Any], pid: int) -> str | None:
    """Say for which session another one waits, if for any."""
    for one in catalog.list_sessions_before(conn, pid=pid):
        return f"for {_session(one.pid, one.since)}, which is in a transaction"
    return None


def _take_lock(conn: Connection[Any], progress: Progress, deadline: float) -> None:
    told = None
    while obstacle := _obstacle(conn):
        if obstacle != told:
            progress(f"Waiting: {obstacle}")
            told = obstacle
        if time.monotonic() > deadline:
            raise MigrationError(
                f"{obstacle}, still: wait for it, or end it with SELECT "
                "pg_terminate_backend(…), and run the same again"
            )
        time.sleep(_PAUSE_SECONDS)


def _obstacle(conn: Connection[Any]) -> str | None:
    """Try to take the lock, and say what is in the way."""
    if not catalog.try_migration_lock(conn):
        holders = catalog.list_migration_lock_holders(conn)
        who = [_session(one.pid, one.since) for one in holders] or ["another session"]
        return f"{who[0]} holds the migration lock"
    # The server goes on with a statement though the client was killed, lock and all.
    left = catalog.list_sessions_of(conn, application_name=dbmate.APPLICATION_NAME)
    if left:
        who = [_session(one.pid, one.since) for one in left]
        return f"{who[0]} is at a migration of a run that was cut off"
    return None


def _session(pid: int, since: datetime | None) -> str:
    began = f" (since {since:%Y-%m-%d %H:%M:%S %Z})" if since else ""
    return f"session {pid}{began}"
