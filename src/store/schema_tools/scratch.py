"""Databases to try things on: made on the server, and dropped when they are done with.

The database that the settings name is only connected to, never changed.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import Connection, conninfo, sql
from pydantic import SecretStr

from generated.internal import catalog

from ..migrations import connections, steps, urls
from ..migrations.files import MigrationFile
from ..settings import DatabaseSettings
from ..sql import cluster, statements

__all__ = ["OwnServer", "database", "migrate", "rollback", "server"]

_PREFIX = "store_scratch_"


class OwnServer(DatabaseSettings):
    """Settings of a server that was started for this, with nothing on it to be lost."""


def server() -> DatabaseSettings:
    """Give the server to try things on: that of SCRATCH_DATABASE_URL.

    It was started for this. Without it that of DATABASE_URL_DIRECT (else DATABASE_URL)
    is taken, where what is of the whole cluster is refused.

    Raises:
        ConfigurationError: none of them is set.
    """
    if url := os.environ.get("SCRATCH_DATABASE_URL"):
        return OwnServer.load(database_url=url, database_url_direct=url)
    return DatabaseSettings.load()


class _Scratch(DatabaseSettings):
    """Settings of such a database, and of the one by which it was made."""

    made_by: DatabaseSettings


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
        settings = settings.made_by
    name = f"{_PREFIX}{secrets.token_hex(4)}"
    template = _name(copy_of) if copy_of else "template0"
    with connections.opened(settings, name=name) as conn:
        _sweep(conn)
        quoted = sql.Identifier(name)
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        conn.execute(create.format(quoted, sql.Identifier(template)))
        try:
            yield _named(settings, name)
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
        MigrationError: one failed, or is of the whole cluster: that runs on a server
            of its own alone.
    """
    _refuse_clusters(database, migrations)
    with connections.opened(database) as conn:
        steps.up(conn, database, migrations)


def rollback(database: DatabaseSettings, newest: MigrationFile) -> None:
    """Take back the newest of what is applied in such a database.

    Raises:
        MigrationError: its down part failed.
    """
    with connections.opened(database) as conn:
        steps.down(conn, database, newest)


def _name(settings: DatabaseSettings) -> str:
    url = settings.database_url_direct.get_secret_value()
    return str(conninfo.conninfo_to_dict(url)["dbname"])


def _named(settings: DatabaseSettings, name: str) -> _Scratch:
    url = settings.database_url_direct.get_secret_value()
    parts = conninfo.conninfo_to_dict(url)
    there = SecretStr(urls.made_of(parts | {"dbname": name}))
    return _Scratch(
        database_url=there,
        database_url_direct=there,
        database_schema=None,
        made_by=settings,
    )


def _refuse_clusters(
    database: DatabaseSettings, migrations: Sequence[MigrationFile]
) -> None:
    """Refuse what would outlast the database, on a server that has others."""
    if isinstance(database, _Scratch) and isinstance(database.made_by, OwnServer):
        return
    for file in migrations:
        for part in filter(None, (file.part("up"), file.part("down"))):
            cluster.refuse(statements.split(part.sql), file.path, part.line)
