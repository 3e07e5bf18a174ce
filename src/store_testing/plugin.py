"""pytest fixtures: the store's schema, and a store on each test's own database.

They stand beside those of `postgres_testing.plugin`. Nothing is imported or started
before a test asks for one.
"""

# Imports are in the fixtures, lest a project that has this installed pays for it, and
# its coverage misses what is imported before it counts.
# ruff: noqa: PLC0415

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from postgres_testing.schemas import Schema
    from store import AsyncStore, Settings, Store


@pytest.fixture(scope="session")
def postgres_schema() -> Schema:
    """Give the schema that the store's migrations make."""
    from store_testing.schema import SCHEMA

    return SCHEMA


@pytest.fixture
def store_settings(database_url: str) -> Settings:
    """Give settings for the test's own database; nothing of the environment counts.

    `crossmint.SECRET` signs its webhooks.
    """
    from store import Settings
    from store_testing.crossmint import SECRET

    return Settings.model_validate(
        {
            "database_url": database_url,
            "crossmint_webhook_secrets": SECRET,
            "wallet_encryption_keys": "0b" * 32,
        }
    )


@pytest.fixture
def store(store_settings: Settings) -> Generator[Store]:
    """Give an open store on the test's own database."""
    from store import Store

    with Store(store_settings) as opened:
        yield opened


@pytest.fixture
async def async_store(store_settings: Settings) -> AsyncGenerator[AsyncStore]:
    """Give an open store on the test's own database, to be awaited.

    For tests that anyio's plugin runs, or pytest-asyncio in its mode `auto`.
    """
    from store import AsyncStore

    async with AsyncStore(store_settings) as opened:
        yield opened
