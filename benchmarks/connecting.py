"""Connections and pools of the contenders, of at most five connections each."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeAlias

import psycopg
from psycopg import AsyncConnection, AsyncRawCursor, Connection, RawCursor
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from store import AsyncStore, Settings, Store
from store_testing.crossmint import SECRET

Pool: TypeAlias = ConnectionPool[Connection[Any]]
AsyncPool: TypeAlias = AsyncConnectionPool[AsyncConnection[Any]]

_SYNC = {"autocommit": True, "cursor_factory": RawCursor}
_ASYNC = {"autocommit": True, "cursor_factory": AsyncRawCursor}


def settings(url: str, **more: object) -> Settings:
    """Give the store's settings for this database; the environment's do not count."""
    # Both URLs, lest one in the environment makes the store believe in a pooler.
    ours = {"database_url": url, "database_url_direct": url}
    return Settings.model_validate(
        {**ours, "crossmint_webhook_secrets": SECRET, **more}
    )


def store(url: str) -> Store:
    """Make a store."""
    return Store(settings(url))


def onchain_store(url: str) -> Store:
    """Make a store whose carts are on chain."""
    return Store(settings(url, cart_service="onchain"))


def async_store(url: str) -> AsyncStore:
    """Make a store to await."""
    return AsyncStore(settings(url))


@contextmanager
def lent(url: str) -> Generator[Connection[Any]]:
    """Give a connection that a store lends for the whole run."""
    with store(url) as opened, opened.connection() as conn:
        yield conn


@asynccontextmanager
async def async_lent(url: str) -> AsyncGenerator[AsyncConnection[Any]]:
    """Give one to await."""
    async with async_store(url) as opened, opened.connection() as conn:
        yield conn


def connection(url: str) -> Connection[Any]:
    """Connect with psycopg alone."""
    return psycopg.connect(url, autocommit=True, cursor_factory=RawCursor)


@asynccontextmanager
async def async_connection(url: str) -> AsyncGenerator[AsyncConnection[Any]]:
    """Connect with psycopg alone, to await."""
    conn = await AsyncConnection.connect(
        url, autocommit=True, cursor_factory=AsyncRawCursor
    )
    async with conn:
        yield conn


@contextmanager
def pool(url: str) -> Generator[Pool]:
    """Open psycopg's pool."""
    made: Pool = ConnectionPool(url, min_size=5, open=False, kwargs=_SYNC)
    with made:
        made.wait()
        yield made


@asynccontextmanager
async def async_pool(url: str) -> AsyncGenerator[AsyncPool]:
    """Open psycopg's pool, to await."""
    made: AsyncPool = AsyncConnectionPool(url, min_size=5, open=False, kwargs=_ASYNC)
    async with made:
        await made.wait()
        yield made
