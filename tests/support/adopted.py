"""Databases that Drizzle made and `baseline` adopts."""

from collections.abc import Callable
from pathlib import Path

import psycopg
from pydantic import SecretStr

from store import adoption, migrations
from store.adoption import Adoption
from store.settings import DatabaseSettings
from store_testing import schema
from tests.support import drizzle
from tests.support.recorded import MIGRATIONS

__all__ = ["SCRIPTS", "adopt", "at", "make"]

SCRIPTS = schema.MIGRATIONS.parent / "adoption"


def make(url: str) -> None:
    """Make an adopted database in an empty one.

    Its rows were adopted, too, and go then: many tests look at all rows of a table.
    """
    drizzle.make(url)
    drizzle.fill(url)
    assert not adopt(url).breaking
    migrations.up(at(url), directory=MIGRATIONS)
    with psycopg.connect(url) as conn:
        conn.execute("DELETE FROM users")


def adopt(
    url: str,
    *,
    directory: Path = MIGRATIONS,
    cursor: str | None = None,
    time_zone: str | None = "UTC",
    dry_run: bool = False,
    progress: Callable[[str], object] = str,
) -> Adoption:
    """Adopt a database, whose server was in UTC."""
    return adoption.adopt(
        at(url),
        directory=directory,
        scripts=SCRIPTS,
        cursor=cursor,
        time_zone=time_zone,
        dry_run=dry_run,
        progress=progress,
    )


def at(url: str) -> DatabaseSettings:
    """Give settings for a URL."""
    return DatabaseSettings(
        database_url=SecretStr(url), database_url_direct=SecretStr(url)
    )
