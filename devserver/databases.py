"""One migrated template per session, and a clone of it for whoever needs a database.

Only databases made here are ever touched; their names begin with `store_test_`.
"""

import itertools
import os
import secrets
import subprocess
import sysconfig
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

__all__ = ["MIGRATIONS", "Template", "migrated_template", "template", "url_of"]

MIGRATIONS = Path(__file__).parents[1] / "db" / "migrations"


@dataclass(frozen=True, slots=True)
class Template:
    """A migrated database to copy, and the session's connection that copies it.

    Not for use by several threads at once.
    """

    name: str
    server_url: str = field(repr=False)
    _admin: psycopg.Connection = field(repr=False)
    _numbers: "itertools.count[int]" = field(
        default_factory=itertools.count, repr=False
    )

    @contextmanager
    def clone(self) -> Generator[str]:
        """Copy the template; give the copy's URL, and drop it when the block ends.

        Tests with the fixture `database_url` have one. Under hypothesis one clone
        serves all examples of a test: delete what an example has written.
        """
        name = f"{self.name}_{next(self._numbers)}"
        # Copying files beats writing the copy to the log: the template is small.
        copying = sql.SQL("TEMPLATE {} STRATEGY file_copy")
        source = sql.Identifier(self.name)
        with _database(self._admin, name, copying.format(source)):
            yield url_of(self.server_url, name)


@contextmanager
def migrated_template(
    server_url: str, *, migrations: Path = MIGRATIONS
) -> Generator[Template]:
    """Make a database, run all migrations on it, and drop it when the block ends.

    Raises RuntimeError with dbmate's words where a migration fails.
    """
    with template(server_url, lambda url: _migrate(url, migrations)) as made:
        yield made


@contextmanager
def template(server_url: str, build: Callable[[str], object]) -> Generator[Template]:
    """Make a database, have it built at its URL, and drop it when the block ends."""
    name = f"store_test_{secrets.token_hex(4)}"
    with (
        psycopg.connect(server_url, autocommit=True) as admin,
        _database(admin, name, sql.SQL("TEMPLATE template0")),
    ):
        build(url_of(server_url, name))
        yield Template(name, server_url, admin)


def url_of(server_url: str, database: str) -> str:
    """Give the URL of another database on the same server."""
    return urlsplit(server_url)._replace(path=f"/{database}").geturl()


@contextmanager
def _database(
    admin: psycopg.Connection, name: str, how: sql.Composable
) -> Generator[None]:
    """Have a database until the block ends; whoever is still connected is cut off."""
    quoted = sql.Identifier(name)
    admin.execute(sql.SQL("CREATE DATABASE {} {}").format(quoted, how))
    try:
        yield
    finally:
        _let_go(admin, name)
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(quoted))


def _let_go(admin: psycopg.Connection, name: str) -> None:
    """Wait a little for the processes of connections that were closed just now.

    DROP DATABASE looks for them once in 100 ms; they are gone within a few.
    """
    deadline = time.monotonic() + 0.1
    connected = "SELECT FROM pg_stat_activity WHERE datname = %s"
    while admin.execute(connected, [name]).rowcount and time.monotonic() < deadline:
        time.sleep(0.001)


def _migrate(url: str, migrations: Path) -> None:
    dbmate = Path(sysconfig.get_path("scripts"), "dbmate")
    migrated = subprocess.run(
        [
            dbmate,
            "--url",
            url,
            "--migrations-dir",
            migrations,
            "--no-dump-schema",
            "up",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=migrations,  # away from any .env, which dbmate would load
        env={"PATH": os.defpath},
    )
    if migrated.returncode != 0:
        raise RuntimeError(f"dbmate failed on {migrations}:\n{migrated.stderr.strip()}")
