"""What the logger `store` tells at DEBUG: names, times and codes."""

import asyncio
import logging
import re
from uuid import UUID

import psycopg
import pytest

from generated import carts, users
from generated.aio import carts as aio_carts
from store import AsyncStore, Store, errors
from tests.support import factories, stores


def test_a_query_is_logged_by_its_name(
    store: Store, user_id: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    """The name of the generated function stands there, and how long it took."""
    with caplog.at_level(logging.DEBUG, "store"), store.connection() as conn:
        carts.count_cart_items(conn, user_id=user_id)
    assert any(
        re.fullmatch(r"carts\.count_cart_items: done in \d+\.\d ms", line)
        for line in caplog.messages
    )


def test_an_awaited_query_is_logged_by_its_name(
    database_url: str, user_id: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    """The face that awaits logs the same."""

    async def count() -> None:
        settings = stores.settings(database_url)
        async with AsyncStore(settings) as store, store.connection() as conn:
            await aio_carts.count_cart_items(conn, user_id=user_id)

    with caplog.at_level(logging.DEBUG, "store"):
        asyncio.run(count())
    assert any("carts.count_cart_items: done" in line for line in caplog.messages)


def test_a_refusal_is_logged_by_its_code(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """A refused query is logged with its SQLSTATE, and without what it said."""
    private = "an identity that nobody may read"
    with (
        caplog.at_level(logging.DEBUG),
        pytest.raises(errors.InvalidValue),
        store.connection() as conn,
    ):
        users.create_user(conn, crossmint_user_id=private, email="")
    assert any("users.create_user: SQLSTATE 23514" in line for line in caplog.messages)
    assert private not in caplog.text


def test_a_checkout_is_logged_as_a_pipeline(
    store: Store,
    conn: psycopg.Connection,
    user_id: UUID,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The one flight of a checkout is one pipeline."""
    item = factories.add_item(conn, user_id)
    with caplog.at_level(logging.DEBUG, "store"):
        store.checkout(user_id, [factories.line(item)])
    assert any(line.startswith("pipeline: done in") for line in caplog.messages)


def test_nothing_is_logged_above_debug(
    store: Store, user_id: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    """At INFO a query leaves no line."""
    with caplog.at_level(logging.INFO, "store"), store.connection() as conn:
        carts.count_cart_items(conn, user_id=user_id)
    assert caplog.messages == []
