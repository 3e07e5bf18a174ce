"""A column that changes under prepared statements is no error for a caller."""

import asyncio
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import AsyncRawCursor, Connection, RawCursor

from generated import carts
from generated.aio import carts as aio_carts
from store import AsyncStore, Store, errors
from store_testing import factories
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


# A batch, as generated functions have it; each of its statements shows in the price.
DEARER = "UPDATE cart_items SET price = price + $1 WHERE user_id = $2 RETURNING *"


def batch(conn: Connection[Any], user_id: UUID) -> int:
    """Make what is in the cart dearer, three times; give the rows that came back."""
    cur = RawCursor(conn)
    cur.executemany(DEARER, [(1, user_id)] * 3, returning=True)
    return sum(len(each.fetchall()) for each in cur.results())


def test_a_batch_is_done_again_as_a_whole(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A batch in a block of `connection` does not hear of it, and is done once."""
    factories.add_item(conn, user_id, price=0)
    for size in range(300, 304):
        with store.connection() as single:
            for _ in range(WARM):
                assert batch(single, user_id) == 3
        widen(conn, size)
        with store.connection() as single:
            assert batch(single, user_id) == batch(single, user_id) == 3
    [item] = factories.cart_of(conn, user_id)
    assert item.price == 4 * (WARM + 2) * 3
    assert store.statistics.discarded == 0


def test_an_awaited_batch_is_done_again(
    database_url: str, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Nor does the face that awaits."""
    factories.add_item(conn, user_id, price=0)

    async def work() -> None:
        async with (
            AsyncStore(stores.settings(database_url)) as store,
            store.connection() as single,
        ):
            for size in range(300, 302):
                widen(conn, size)
                for _ in range(WARM):
                    cur = AsyncRawCursor(single)
                    await cur.executemany(DEARER, [(1, user_id)] * 3, returning=True)
                    assert len(await cur.fetchall()) == 1

    asyncio.run(work())
    [item] = factories.cart_of(conn, user_id)
    assert item.price == 2 * WARM * 3


def test_a_batch_in_a_transaction_hears_once(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """There it is one retryable error; `atomically` repeats it, and nobody hears."""
    factories.add_item(conn, user_id, price=0)
    for size in (300, 301):
        for _ in range(WARM):
            assert store.atomically(lambda inside: batch(inside, user_id)) == 3
        widen(conn, size)
        if size == 300:
            with pytest.raises(errors.PlanOutdated), store.transaction() as inside:
                batch(inside, user_id)
        assert store.atomically(lambda inside: batch(inside, user_id)) == 3


def test_a_copy_has_no_plan_to_be_outdated(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """COPY is not prepared: it takes the columns as they are."""
    copied = "COPY cart_items (user_id, product_id, product_name, price) FROM STDIN"
    for number in range(WARM + 2):
        if number >= WARM:
            widen(conn, 300 + number)
        with store.connection() as single, single.cursor().copy(copied) as copy:
            copy.write_row((user_id, f"B{number}", "Pen", 1))
    assert len(factories.cart_of(conn, user_id)) == WARM + 2


def test_what_is_done_again_has_its_limits(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """The second attempt of a query ends as the first would, and says so."""
    factories.add_item(conn, user_id)
    with store.connection() as single:
        for _ in range(WARM):
            RawCursor(single).execute(DEARER, (1, user_id))
    widen(conn, 300)
    with conn.transaction():
        conn.execute("SELECT FROM cart_items FOR UPDATE")
        with (
            pytest.raises(errors.StatementTimeout),
            store.limited(statement=0.3).connection() as single,
        ):
            RawCursor(single).execute(DEARER, (1, user_id))
    assert store.statistics.discarded == 0
