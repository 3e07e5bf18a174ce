"""Stores on a test's own database, by way of PgBouncer where that is asked for."""

from collections.abc import Generator
from contextlib import contextmanager

from postgres_testing.pooler import Pooler
from store import Settings, Store
from store_testing.crossmint import SECRET

__all__ = ["opened", "poolers", "settings"]

# What stands between stores and the server, if anything does.
poolers: list[Pooler] = []


def settings(url: str, **others: object) -> Settings:
    """Make a store's settings; others are named like their variables."""
    given = {"database_url": url, "crossmint_webhook_secrets": SECRET}
    for pooler in poolers:
        given |= {"database_url": pooler.url(url), "database_url_direct": url}
    return Settings.model_validate({**given, **others})


@contextmanager
def opened(url: str, **others: object) -> Generator[Store]:
    """Open a store on this database until the block ends."""
    with Store(settings(url, **others)) as store:
        yield store
