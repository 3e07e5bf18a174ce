"""Stores on a test's own database, by way of PgBouncer where that is asked for."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from postgres_testing.pooler import Pooler
from store import Settings, Store, migrations
from store.settings import DatabaseSettings
from store_testing.crossmint import SECRET
from store_testing.schema import MIGRATIONS
from tests.support import citus

__all__ = [
    "ON_CITUS",
    "SCHEMA",
    "in_schema",
    "migrate",
    "opened",
    "poolers",
    "settings",
]

# In which schema the tests' stores are, where not in the default one.
SCHEMA = os.environ.get("TEST_DATABASE_SCHEMA", "")

# Whether that schema is a distributed one.
ON_CITUS = bool(SCHEMA and citus.URL)

# What stands between stores and the server, if anything does.
poolers: list[Pooler] = []


def not_on_citus(reason: str) -> pytest.MarkDecorator:
    """Have a test skipped where that schema is a distributed one."""
    return pytest.mark.skipif(ON_CITUS, reason=f"on Citus {reason}")


def migrate(url: str) -> None:
    """Make what a template holds, in that schema."""
    given = DatabaseSettings.load(database_url=url, database_schema=SCHEMA)
    migrations.up(given, directory=MIGRATIONS, unrecorded_allowed=True)


def in_schema(url: str) -> str:
    """Give a URL by which a test, too, finds that schema's tables."""
    return f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{SCHEMA}"


def settings(url: str, **others: object) -> Settings:
    """Make a store's settings; others are named like their variables."""
    given: dict[str, object] = {"crossmint_webhook_secrets": SECRET}
    if SCHEMA:  # the store is to find it by its setting alone
        given["database_schema"] = SCHEMA
        parts = urlsplit(url)
        query = "&".join(
            each for each in parts.query.split("&") if not each.startswith("options=")
        )
        url = parts._replace(query=query).geturl()
    given["database_url"] = url
    for pooler in poolers:
        given |= {"database_url": pooler.url(url), "database_url_direct": url}
    return Settings.model_validate({**given, **others})


@contextmanager
def opened(url: str, **others: object) -> Generator[Store]:
    """Open a store on this database until the block ends."""
    with Store(settings(url, **others)) as store:
        yield store
