"""Databases to try things on: made on the server, and dropped when they are done with.

The database that the settings name is only connected to, never changed.
"""

from __future__ import annotations

import secrets
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg import Connection, conninfo, sql
from pydantic import SecretStr

from generated.internal import catalog

from ..settings import DatabaseSettings
from . import sessions, steps
from .files import MigrationFile

__all__ = ["database", "migrate", "rollback"]

_PREFIX = "store_scratch_"


class _Scratch(DatabaseSettings):
    """Settings of such a database, and the URL of the one by which it was made."""

    made_by: SecretStr


@contextmanager
def database(
    settings: DatabaseSettings, *, copy_of: DatabaseSettings | None = None
) -> Generator[DatabaseSettings]:
    """Have a database on the server until the block ends: empty, or a copy.

    Its name begins with `store_scratch_`. A session by the same name lives as long:
    what has none was left by a run that was killed, and is dropped first.

    Raises:
        MigrationError: the server cannot be reached, or lets this user make none.
    """
    # Not on such a database itself, which could then not be copied.
    if isinstance(settings, _Scratch):
        settings = _at(settings.made_by)
    name = f"{_PREFIX}{secrets.token_hex(4)}"
    template = _name(copy_of) if copy_of else "template0"
    with sessions.opened(settings, name=name) as conn:
        _sweep(conn)
        quoted = sql.Identifier(name)
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        conn.execute(create.format(quoted, sql.Identifier(template)))
        try:
            yield _named(settings.database_url_direct, name)
        finally:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(quoted))


def _sweep(conn: Connection[Any]) -> None:
    for name in catalog.list_abandoned_databases(conn, prefix=_PREFIX):
        # Another run may have been faster.
        with suppress(psycopg.DatabaseError):
            conn.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def migrate(database: DatabaseSettings, migrations: Sequence[MigrationFile]) -> None:
    """Apply what is pending in such a database.

    Raises:
        MigrationError: one failed.
    """
    with sessions.opened(database) as conn:
        steps.up(conn, database, migrations)


def rollback(database: DatabaseSettings, newest: MigrationFile) -> None:
    """Take back the newest of what is applied in such a database.

    Raises:
        MigrationError: its down part failed.
    """
    with sessions.opened(database) as conn:
        steps.down(conn, database, newest)


def _name(settings: DatabaseSettings) -> str:
    url = settings.database_url_direct.get_secret_value()
    return str(conninfo.conninfo_to_dict(url)["dbname"])


def _at(url: SecretStr) -> DatabaseSettings:
    return DatabaseSettings(database_url=url, database_url_direct=url)


def _named(url: SecretStr, name: str) -> _Scratch:
    parts = conninfo.conninfo_to_dict(url.get_secret_value())
    del parts["dbname"]
    there = SecretStr(f"postgresql:///{name}?{urlencode(parts, quote_via=quote)}")
    return _Scratch(database_url=there, database_url_direct=there, made_by=url)
