"""A column that changes under prepared statements is no error for a caller."""

import asyncio
from uuid import UUID

import psycopg
import pytest

from generated import carts
from generated.aio import carts as aio_carts
from store import AsyncStore, Store, errors
from tests.support import stores

WARM = 7


def widen(conn: psycopg.Connection, size: int) -> None:
    """Change the result type of what reads the carts."""
    conn.execute(
        f"ALTER TABLE cart_items ALTER COLUMN size TYPE varchar({size})".encode()
    )


def test_a_single_query_is_done_again(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Queries in a block of `connection` do not hear of it."""
    for size in range(300, 304):
        with store.connection() as single:
            for _ in range(WARM):
                assert not carts.list_cart_items(single, user_id=user_id, max_rows=1)
        widen(conn, size)
        with store.connection() as single:
            assert not carts.list_cart_items(single, user_id=user_id, max_rows=1)


def test_an_awaited_query_is_done_again(
    database_url: str, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Nor does the face that awaits."""

    async def work() -> None:
        async with (
            AsyncStore(stores.settings(database_url)) as store,
            store.connection() as single,
        ):
            for size in range(300, 304):
                for _ in range(WARM):
                    assert not await aio_carts.list_cart_items(
                        single, user_id=user_id, max_rows=1
                    )
                widen(conn, size)

    asyncio.run(work())


def test_a_method_is_done_again(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Work in a transaction is repeated as a whole."""
    attempts: list[None] = []

    def work(inside: psycopg.Connection) -> None:
        attempts.append(None)
        assert not carts.list_cart_items(inside, user_id=user_id, max_rows=1)

    for size in range(300, 304):
        for _ in range(WARM):
            store.atomically(work)
        attempts.clear()
        widen(conn, size)
        store.atomically(work)
        assert len(attempts) == 2


def test_a_transaction_of_the_caller_s_hears_once(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """There it is one retryable error, and the next attempt works."""
    for _ in range(WARM):
        with store.transaction() as inside:
            carts.list_cart_items(inside, user_id=user_id, max_rows=1)
    widen(conn, 300)
    with pytest.raises(errors.PlanOutdated) as outdated, store.transaction() as inside:
        carts.list_cart_items(inside, user_id=user_id, max_rows=1)
    assert outdated.value.retryable
    with store.transaction() as inside:
        assert not carts.list_cart_items(inside, user_id=user_id, max_rows=1)
