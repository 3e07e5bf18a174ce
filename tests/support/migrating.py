"""Small migrations, and dbmate by itself to compare with."""

import subprocess
import sysconfig
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from pydantic import SecretStr

from store import migrations
from store.settings import DatabaseSettings

__all__ = [
    "add",
    "alone",
    "applied",
    "at",
    "busy",
    "migration",
    "old",
    "plain",
    "write",
]

_DBMATE = Path(sysconfig.get_path("scripts"), "dbmate")


def at(url: str) -> DatabaseSettings:
    """Give settings for a URL."""
    return DatabaseSettings(
        database_url=SecretStr(url), database_url_direct=SecretStr(url)
    )


def plain(url: str) -> str:
    """Leave the URL's parameters out, sslmode among them."""
    return urlsplit(url)._replace(query="").geturl()


def migration(up: str, down: str = "", options: str = "") -> str:
    """Give a migration's text."""
    return f"-- migrate:up{options}\n{up}\n-- migrate:down{options}\n{down}\n"


def add(directory: Path, name: str, text: str) -> Path:
    """Write one migration, and leave the journal alone."""
    path = directory / name
    path.write_text(text, newline="")
    return path


def write(directory: Path, *contents: str) -> Path:
    """Write migrations 0001_step.sql, 0002_step.sql and so on, with their journal."""
    for number, content in enumerate(contents, 1):
        add(directory, f"{number:04}_step.sql", content)
    migrations.record(directory)
    return directory


def alone(
    url: str, directory: Path, *command: str, dumps: bool = False
) -> tuple[int, str]:
    """Run dbmate without what stands around it; give its exit code and all it said.

    There is no pg_dump in its PATH.
    """
    options = [] if dumps else ["--no-dump-schema"]
    done = subprocess.run(
        [_DBMATE, f"--migrations-dir={directory}", *options, *command],
        env={"DATABASE_URL": url, "PATH": ""},
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def applied(url: str) -> list[str]:
    """Give the numbers in the ledger."""
    with psycopg.connect(url) as conn:
        rows = conn.execute("SELECT version FROM schema_migrations ORDER BY version")
        return [version for (version,) in rows]


@contextmanager
def busy(url: str, table: str) -> Generator[psycopg.Connection]:
    """Keep a transaction open that has written to a table.

    CREATE INDEX CONCURRENTLY waits for it, and so does what locks the table.
    """
    with psycopg.connect(url) as conn:
        conn.execute(f"INSERT INTO {table} DEFAULT VALUES".encode())
        yield conn
        conn.rollback()


@contextmanager
def old(url: str) -> Generator[psycopg.Connection]:
    """Keep a transaction open that has looked at the database, and locks no table.

    CREATE INDEX CONCURRENTLY waits for it, though nothing else does.
    """
    with psycopg.connect(url) as conn:
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        conn.execute("SELECT 1")
        yield conn
        conn.rollback()
