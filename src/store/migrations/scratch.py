"""Databases to try things on: made on the server, and dropped when they are done with.

The database that the settings name is only connected to, never changed.
"""

from __future__ import annotations

import secrets
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from urllib.parse import quote, urlencode

from psycopg import conninfo
from pydantic import SecretStr

from ..settings import DatabaseSettings
from . import programs, sessions, steps
from .files import MigrationFile

__all__ = ["database", "migrate", "rollback"]

_EMPTY = "template0"


@contextmanager
def database(
    settings: DatabaseSettings, *, copy_of: DatabaseSettings | None = None
) -> Generator[DatabaseSettings]:
    """Have a database on the server until the block ends: empty, or a copy.

    Its name begins with `store_scratch_`, which tells what a killed run left behind.

    Raises:
        MigrationError: the server cannot be reached, or lets this user make none.
    """
    name = f"store_scratch_{secrets.token_hex(4)}"
    template = _name(copy_of) if copy_of else _EMPTY
    programs.run("createdb", settings, f"--template={template}", name)
    try:
        yield _at(settings, name)
    finally:
        programs.run("dropdb", settings, "--force", name)


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


def _parts(settings: DatabaseSettings) -> dict[str, str]:
    url = settings.database_url_direct.get_secret_value()
    return {name: str(part) for name, part in conninfo.conninfo_to_dict(url).items()}


def _name(settings: DatabaseSettings) -> str:
    return _parts(settings)["dbname"]


def _at(settings: DatabaseSettings, name: str) -> DatabaseSettings:
    parts = _parts(settings)
    del parts["dbname"]
    url = SecretStr(f"postgresql:///{name}?{urlencode(parts, quote_via=quote)}")
    return DatabaseSettings(database_url=url, database_url_direct=url)
