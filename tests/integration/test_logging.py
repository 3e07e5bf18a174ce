"""What the logger `store` tells at DEBUG: names, times and codes."""

import asyncio
import logging
import re
from contextlib import suppress
from uuid import UUID

import psycopg
import pytest

from generated import carts
from generated.aio import carts as aio_carts
from generated.internal import user_steps
from store import AsyncStore, RoundTrip, Store, errors
from store_testing import factories
from tests.support import stores


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
        user_steps.create_user(conn, crossmint_user_id=private, email="")
    assert any(
        "user_steps.create_user: SQLSTATE 23514" in line for line in caplog.messages
    )
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


def test_an_observer_is_told_how_each_query_ended(
    database_url: str, user_id: UUID
) -> None:
    """It gets the name, the time and the code, and nothing of what was asked."""
    seen: list[RoundTrip] = []
    private = "an identity that nobody may read"
    with Store(stores.settings(database_url), observer=seen.append) as store:
        with store.connection() as conn:
            carts.count_cart_items(conn, user_id=user_id)
        with pytest.raises(errors.InvalidValue), store.connection() as conn:
            user_steps.create_user(conn, crossmint_user_id=private, email="")
    by_query = {each.query: each for each in seen}
    counted, refused = (
        by_query["carts.count_cart_items"],
        by_query["user_steps.create_user"],
    )
    assert (counted.sqlstate, counted.failure) == (None, None)
    assert (refused.sqlstate, refused.failure) == ("23514", "CheckViolation")
    assert all(0 < each.seconds < 60 for each in seen)
    assert private not in repr(seen)


def test_an_observer_is_told_of_a_cancelled_query(
    database_url: str, user_id: UUID
) -> None:
    """Whoever awaits may go away: that is how the query ended then."""
    seen: list[RoundTrip] = []

    async def wait_in_vain() -> None:
        settings = stores.settings(database_url)
        async with AsyncStore(settings, observer=seen.append) as store:
            with suppress(TimeoutError):
                async with asyncio.timeout(0.2), store.connection() as conn:
                    await conn.execute("SELECT pg_sleep(60)")
            async with store.connection() as conn:
                await aio_carts.count_cart_items(conn, user_id=user_id)

    asyncio.run(wait_in_vain())
    assert [each.failure for each in seen[-2:]] == ["CancelledError", None]


def test_an_observer_that_fails_breaks_nothing(
    database_url: str, user_id: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    """What it raises is logged; the query has its result."""

    def fail(ended: RoundTrip) -> None:
        raise RuntimeError(ended.query)

    with (
        Store(stores.settings(database_url), observer=fail) as store,
        store.connection() as conn,
    ):
        assert carts.count_cart_items(conn, user_id=user_id) == 0
    assert "the observer failed" in caplog.messages
