"""Connections of our own to the server whose schema changes.

They go by a name that its list of sessions shows, and lead to the server itself: behind
a pooler no lock holds.
"""

from __future__ import annotations

import re
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import Connection, conninfo
from pydantic import SecretStr

from generated.internal import plans

from ..errors import MigrationError
from ..settings import DatabaseSettings
from . import dbmate, urls
from .dbmate import Progress

__all__ = ["connected", "opened", "reached", "refuse_behind", "refuse_pooled"]

APPLICATION_NAME = "store migrations"
SERVER_SECONDS = 10.0
_PAUSE_SECONDS = 0.1

_LOST = "the connection to the database was lost: run the same again"

_POOLED_HOST = re.compile(r"[.-]pooler\.|pgbouncer", re.IGNORECASE)
_POOLED_PORTS = {"6432", "6543"}  # PgBouncer's own, and Supabase's

_NO_DATABASE, _STARTING_UP, _TAKEN = "3D000", "57P03", {"42P04", "23505", "55006"}


@contextmanager
def opened(
    settings: DatabaseSettings,
    *,
    name: str = APPLICATION_NAME,
    create: bool = False,
    progress: Progress = dbmate.silent,
    lost: str = _LOST,
) -> Generator[Connection[Any]]:
    """Give an autocommit connection until the block ends, without the lock.

    It goes by that application's name; `lost` is said where it breaks.

    Raises:
        MigrationError: nobody answers, or the server refused something in the block.
    """
    with _connect(settings, name, create=create, progress=progress) as conn:
        try:
            yield conn
        except psycopg.Error as error:
            raise _told(error, lost=lost if conn.broken else None) from None


def connected(
    settings: DatabaseSettings, name: str = APPLICATION_NAME, options: str = ""
) -> Connection[Any]:
    """Give an autocommit connection that goes by this application's name.

    The URL's own options, if any, stand behind these and win.
    """
    url = settings.database_url_direct.get_secret_value()
    parts = conninfo.conninfo_to_dict(url)
    ours = {
        "application_name": name,
        "client_encoding": "utf8",
        "connect_timeout": parts.get("connect_timeout", 10),
        "options": urls.options(url, options, settings.database_schema),
    }
    return psycopg.connect(conninfo.make_conninfo(url, **ours), autocommit=True)


def reached(settings: DatabaseSettings, conn: Connection[Any]) -> DatabaseSettings:
    """Name the one server that a URL of several hosts led to, to go there again."""
    url = settings.database_url_direct.get_secret_value()
    parts = conninfo.conninfo_to_dict(url)
    if "," not in str(parts.get("host", "")):
        return settings
    for name in ("hostaddr", "target_session_attrs", "load_balance_hosts"):
        parts.pop(name, None)
    parts |= {"host": conn.info.host, "port": conn.info.port}
    one = urls.made_of(parts)
    there = SecretStr(one)
    return settings.model_copy(
        update={"database_url": there, "database_url_direct": there}
    )


def refuse_pooled(settings: DatabaseSettings) -> None:
    """Refuse a URL that looks like a transaction pooler's, where no lock holds.

    Raises:
        MigrationError: host name or port are those of a pooler.
    """
    parts = conninfo.conninfo_to_dict(settings.database_url_direct.get_secret_value())
    host, port = str(parts.get("host", "")), str(parts.get("port", ""))
    signs = [f"port {port}"] if _POOLED_PORTS & {*port.split(",")} else []
    if _POOLED_HOST.search(host):
        signs.append(f"host {host}")
    if signs:
        raise MigrationError(
            f"DATABASE_URL_DIRECT (else DATABASE_URL) looks like a pooler's, by its "
            f"{' and '.join(signs)}; there no lock holds: set DATABASE_URL_DIRECT to "
            "the server behind it or, if it is none, add allow_pooler=1 to make's words"
        )


def refuse_behind(conn: Connection[Any]) -> None:
    """Refuse a session that a pooler has lent, whatever its URL looks like.

    Raises:
        MigrationError: another session answers than the one that was connected to.
    """
    if not plans.is_backend(conn, backend_pid=conn.info.backend_pid):
        raise MigrationError(
            "DATABASE_URL_DIRECT (else DATABASE_URL) leads to a pooler: another "
            "session answers than was connected to; there no lock holds: set "
            "DATABASE_URL_DIRECT to the server behind it"
        )


def _told(error: psycopg.Error, *, lost: str | None) -> MigrationError:
    if lost:
        return MigrationError(lost)
    if not error.sqlstate:
        return MigrationError(f"cannot connect: {' '.join(str(error).split())}")
    message = f"the server refused: {error.diag.message_primary} ({error.sqlstate})"
    message = dbmate.with_remedy(message, error.sqlstate)
    return MigrationError(message, sqlstate=error.sqlstate)


def _connect(
    settings: DatabaseSettings, name: str, *, create: bool, progress: Progress
) -> Connection[Any]:
    deadline = time.monotonic() + SERVER_SECONDS
    told = False
    while True:
        try:
            # It is idle while a long migration runs beside it.
            return connected(settings, name, "-c idle_session_timeout=0")
        except psycopg.OperationalError as refused:
            error = _reason(settings, refused)
        if not create or not _may_pass(error, deadline):
            raise error
        if error.sqlstate == _NO_DATABASE:
            _create(settings, progress)
            continue
        if not told:
            progress("Waiting: for the server")
        told = True
        time.sleep(_PAUSE_SECONDS)


def _reason(
    settings: DatabaseSettings, refused: psycopg.OperationalError
) -> MigrationError:
    """Say why there is no way in: dbmate has the SQLSTATE, which libpq keeps back."""
    message = f"cannot connect: {' '.join(str(refused).split())}"
    try:
        dbmate.run(settings, [], "status")
    except MigrationError as error:
        if error.sqlstate:
            message = dbmate.with_remedy(
                f"{message} ({error.sqlstate})", error.sqlstate
            )
            return MigrationError(message, sqlstate=error.sqlstate)
    return MigrationError(message)


def _may_pass(error: MigrationError, deadline: float) -> bool:
    """Say whether a moment later, or with the database made, it may go better."""
    passing = error.sqlstate in {None, _NO_DATABASE, _STARTING_UP}
    return passing and time.monotonic() < deadline


def _create(settings: DatabaseSettings, progress: Progress) -> None:
    try:
        dbmate.run(settings, [], "create", progress=progress)
    except MigrationError as error:
        # CREATE DATABASE is outside of the lock: of several runs one creates it.
        if error.sqlstate not in _TAKEN:
            raise
