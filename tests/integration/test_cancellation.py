"""A cancelled task gives its connection back clean, and writes all or nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import AsyncExitStack, contextmanager
from uuid import UUID

import psycopg
import pytest
from psycopg.pq import TransactionStatus

from generated.aio import users as aio_users
from generated.internal import user_steps
from generated.models import CartItem
from store import AsyncStore
from store_testing import factories
from tests.support import gates, stores
from tests.support.tables import Rows, Tables

POOL_SIZE = 5


@contextmanager
def user_locked(conn: psycopg.Connection, user_id: UUID) -> Generator[None]:
    """Hold the user's row, so that whoever wants it waits."""
    with conn.transaction():
        user_steps.lock_user(conn, id=user_id)
        yield


def read(url: str) -> Rows:
    """Read the whole database, on a connection of its own."""
    with psycopg.connect(url, autocommit=True) as conn:
        return Tables(conn).read()


async def cancelled_while_waiting(
    url: str,
    conn: psycopg.Connection,
    user_id: UUID,
    work: Callable[[AsyncStore], Awaitable[object]],
    *,
    repeatedly: bool,
) -> None:
    """Cancel a task that waits for the user's lock; the connection is as before."""
    loop = asyncio.get_running_loop()

    def cancel(task: asyncio.Future[object]) -> None:
        task.cancel()
        if repeatedly and not task.done():  # as anyio does
            loop.call_soon(cancel, task)

    async with AsyncStore(stores.settings(url)) as store:
        async with store.connection() as lent:
            process_id = lent.info.backend_pid
        with user_locked(conn, user_id):
            task = asyncio.ensure_future(work(store))
            await asyncio.to_thread(gates.wait_until_waiting, conn, 1)
            cancel(task)
            with pytest.raises(asyncio.CancelledError):
                await task
        async with store.connection() as again:
            assert again.info.backend_pid == process_id
            assert again.info.transaction_status == TransactionStatus.IDLE
            user = await aio_users.get_user(again, id=user_id)
        assert user is not None


@pytest.mark.parametrize("repeatedly", [False, True])
def test_a_cancelled_transaction_writes_nothing(
    database_url: str,
    conn: psycopg.Connection,
    user_id: UUID,
    caplog: pytest.LogCaptureFixture,
    *,
    repeatedly: bool,
) -> None:
    """What was written before the cancellation is rolled back."""
    other_id = factories.add_user(conn)
    before = read(database_url)

    async def work(store: AsyncStore) -> None:
        async with store.transaction() as inside:
            await aio_users.set_display_name(inside, id=other_id, display_name="Ada")
            await aio_users.set_display_name(inside, id=user_id, display_name="Ada")

    asyncio.run(
        cancelled_while_waiting(
            database_url, conn, user_id, work, repeatedly=repeatedly
        )
    )
    assert not caplog.records, "the pool had to clean up"
    assert read(database_url) == before


@pytest.mark.parametrize("repeatedly", [False, True])
def test_a_cancelled_checkout_writes_nothing(
    database_url: str,
    conn: psycopg.Connection,
    user_id: UUID,
    item: CartItem,
    caplog: pytest.LogCaptureFixture,
    *,
    repeatedly: bool,
) -> None:
    """A checkout that is cancelled in its one flight has not happened."""
    before = read(database_url)
    lines = [factories.line(item, "x")]

    async def work(store: AsyncStore) -> None:
        await store.checkout(user_id, lines)

    asyncio.run(
        cancelled_while_waiting(
            database_url, conn, user_id, work, repeatedly=repeatedly
        )
    )
    assert not caplog.records, "the pool had to clean up"
    assert read(database_url) == before


def test_a_checkout_cancelled_in_its_commit_is_whole(
    database_url: str, conn: psycopg.Connection, user_id: UUID, item: CartItem
) -> None:
    """Cancelled within COMMIT it is all or nothing; repeated, it gives its result."""
    lines = [factories.line(item, "x")]

    async def work() -> None:
        async with AsyncStore(stores.settings(database_url)) as store:
            with gates.shut(database_url) as gate:
                task = asyncio.ensure_future(store.checkout(user_id, lines))
                await asyncio.to_thread(gate.wait_for_arrival)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                gate.open()
            there = factories.orders_of(conn, user_id)
            [placed] = await store.checkout(user_id, lines)
            assert there in ([], [placed])

    asyncio.run(work())
    assert len(factories.orders_of(conn, user_id)) == 1


def test_who_is_cancelled_as_a_place_becomes_free_passes_it_on(
    database_url: str,
) -> None:
    """Of two who wait the first is woken and cancelled at once: the second connects."""

    async def work() -> None:
        settings = stores.settings(database_url, database_pool_size=1)
        async with AsyncStore(settings) as store:
            async with store.connection() as lent:
                first = asyncio.ensure_future(store.ping())
                await asyncio.sleep(0)
                second = asyncio.ensure_future(store.ping())
                await asyncio.sleep(0)
                assert store.statistics.waiting == 2
                await lent.close()
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first
            await asyncio.sleep(0)
            assert store.statistics.waiting == 0
            await second

    asyncio.run(work())


def test_who_stops_waiting_for_a_connection_takes_none(
    database_url: str, user_id: UUID
) -> None:
    """A task that is cancelled while the pool is empty does not shrink the pool."""

    async def work() -> None:
        async with AsyncStore(stores.settings(database_url)) as store:
            async with AsyncExitStack() as stack:
                for _ in range(POOL_SIZE):
                    await stack.enter_async_context(store.connection())
                task = asyncio.ensure_future(store.cancel_order(user_id, user_id))
                await asyncio.sleep(0)  # it runs until it has to wait
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            async with AsyncExitStack() as stack:
                for _ in range(POOL_SIZE):
                    await stack.enter_async_context(store.connection())

    asyncio.run(work())
