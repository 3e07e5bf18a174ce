"""Transactions: all or nothing, tried again where that is safe, and never silent."""

import asyncio
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.pq import TransactionStatus

from generated import users
from postgres_testing import proxy
from postgres_testing.proxy import Proxy
from store import AsyncStore, Store, errors
from store_testing import factories
from tests.support import stores

ATTEMPTS = 5


@pytest.fixture
def tap(database_url: str) -> Generator[Proxy]:
    """Give a proxy before the database."""
    with proxy.before(database_url) as opened:
        yield opened


@pytest.fixture
def tapped(tap: Proxy) -> Generator[Store]:
    """Give a store that goes through the proxy."""
    with stores.opened(tap.url) as opened:
        yield opened


def name_of(conn: psycopg.Connection, user_id: UUID) -> str | None:
    """Read what is stored."""
    user = users.get_user(conn, id=user_id)
    assert user is not None
    return user.display_name


def rename(conn: psycopg.Connection, user_id: UUID, name: str = "Ada") -> None:
    """Write."""
    users.set_display_name(conn, id=user_id, display_name=name)


# All or nothing


def test_what_a_block_writes_is_committed(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A transaction that ends well is there for everybody."""
    with store.transaction() as inside:
        rename(inside, user_id)
        assert name_of(conn, user_id) is None
    assert name_of(conn, user_id) == "Ada"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, GeneratorExit])
def test_an_error_rolls_back(
    store: Store,
    conn: psycopg.Connection,
    user_id: UUID,
    error: type[BaseException],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An error leaves as it is, nothing is written, and the connection is idle.

    The pool would clean it up too, but complain in its log.
    """
    with store.connection() as lent:
        process_id = lent.info.backend_pid

    def fail() -> None:
        with store.transaction() as inside:
            rename(inside, user_id)
            raise error

    with pytest.raises(error):
        fail()
    assert name_of(conn, user_id) is None
    with store.connection() as again:
        assert not caplog.records
        assert again.info.backend_pid == process_id
        assert again.info.transaction_status == TransactionStatus.IDLE


@pytest.mark.parametrize("nested", [False, True])
def test_a_swallowed_error_is_not_silent(
    store: Store, conn: psycopg.Connection, user_id: UUID, *, nested: bool
) -> None:
    """Where the block hides that its transaction failed, leaving it raises."""

    def swallow() -> None:
        with store.transaction() as inside:
            rename(inside, user_id)
            with suppress(psycopg.Error), ExitStack() as stack:
                if nested:  # the driver synchronises on leaving it
                    stack.enter_context(inside.pipeline())
                rename(inside, user_id, name="x" * 101)

    with pytest.raises(errors.DatabaseError):
        swallow()
    assert name_of(conn, user_id) is None
    with store.connection() as again:
        assert again.info.transaction_status == TransactionStatus.IDLE


@pytest.mark.parametrize("second", range(2, 9))
def test_errors_do_not_spoil_the_connection(
    store: Store, conn: psycopg.Connection, user_id: UUID, second: int
) -> None:
    """A connection works after errors, also if one hit while the driver prepared."""
    for number in range(12):
        good = number not in {0, second}
        with (
            suppress(errors.InvalidValue) if not good else ExitStack(),
            store.transaction() as inside,
        ):
            inside.execute("SELECT %s::usd_cents", [number if good else -1])
            inside.execute("SELECT set_config('a.b', 'c', true)")
            rename(inside, user_id, str(number))
        assert (
            name_of(conn, user_id) == str(number if good else number - 1) or not number
        )


# Connections that die


def test_a_lost_reply_to_commit_is_told(
    tap: Proxy, tapped: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """If it was committed and the client cannot know, OutcomeUnknown says so."""
    attempts: list[None] = []

    def work(inside: psycopg.Connection[Any]) -> None:
        attempts.append(None)
        rename(inside, user_id)

    tap.cut_reply_to(b"COMMIT")
    with pytest.raises(errors.OutcomeUnknown):
        tapped.atomically(work)
    assert len(attempts) == 1
    assert name_of(conn, user_id) == "Ada"


def test_a_commit_that_never_arrived_is_told(
    tap: Proxy, tapped: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """If COMMIT was sent and lost, the client cannot know either."""
    tap.cut_before(b"COMMIT")
    with pytest.raises(errors.OutcomeUnknown), tapped.transaction() as inside:
        rename(inside, user_id)
    assert name_of(conn, user_id) is None


def test_a_connection_lost_before_commit_is_replaced(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Work whose connection dies before COMMIT runs once more, on another one."""
    processes: list[int] = []

    def work(inside: psycopg.Connection[Any]) -> None:
        processes.append(inside.info.backend_pid)
        rename(inside, user_id, str(len(processes)))
        if len(processes) == 1:
            factories.end_backend(conn, inside.info.backend_pid)
        assert users.get_user(inside, id=user_id) is not None

    store.atomically(work)
    assert len(set(processes)) == len(processes) == 2
    assert name_of(conn, user_id) == "2"


# Conflicts


def test_a_deadlock_is_tried_again(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Of two works that block each other one goes first; the other runs anew."""
    other_id = factories.add_user(conn)
    conn.execute("ALTER ROLE CURRENT_USER SET deadlock_timeout = '10ms'")
    attempts: list[UUID] = []
    both_hold_one = threading.Barrier(2)

    def locking(first: UUID, second: UUID) -> Callable[[psycopg.Connection[Any]], None]:
        def work(inside: psycopg.Connection[Any]) -> None:
            rename(inside, first, "held")
            attempts.append(first)
            if len(attempts) <= 2:
                both_hold_one.wait(timeout=20)
            rename(inside, second, "taken")

        return work

    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(store.atomically, locking(user_id, other_id))
        other = threads.submit(store.atomically, locking(other_id, user_id))
        one.result()
        other.result()
    assert len(attempts) == 3


def test_a_serialization_failure_is_tried_again(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Work that another transaction overtook runs anew."""
    attempts: list[None] = []

    def work(inside: psycopg.Connection[Any]) -> None:
        inside.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        users.get_user(inside, id=user_id)
        attempts.append(None)
        if len(attempts) == 1:
            rename(conn, user_id, "overtaken")
        rename(inside, user_id, "Ada")

    store.atomically(work)
    assert len(attempts) == 2
    assert name_of(conn, user_id) == "Ada"


def test_attempts_are_bounded(store: Store) -> None:
    """Work that conflicts each time is given up; the error says why."""
    attempts: list[None] = []

    def work(inside: psycopg.Connection[Any]) -> None:
        attempts.append(None)
        inside.execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")

    with pytest.raises(errors.TransactionConflict) as given_up:
        store.atomically(work)
    assert given_up.value.sqlstate == "40001"
    assert len(attempts) == ATTEMPTS


def test_other_errors_are_not_tried_again(store: Store, user_id: UUID) -> None:
    """What would fail each time is not repeated."""
    attempts: list[None] = []

    def work(inside: psycopg.Connection[Any]) -> None:
        attempts.append(None)
        rename(inside, user_id, "x" * 101)

    with pytest.raises(errors.InvalidValue):
        store.atomically(work)
    assert len(attempts) == 1


def test_work_of_the_other_face_is_refused_and_undone(
    store: Store, database_url: str, user_id: UUID
) -> None:
    """A function to await is none for `Store`, nor one that blocks for `AsyncStore`."""

    async def awaited(inside: AsyncConnection[Any]) -> None:
        await inside.execute("UPDATE users SET display_name = 'Ada'")

    def lazy(inside: AsyncConnection[Any]) -> None:
        assert not inside.closed

    async def with_lazy() -> None:
        work: Any = lazy
        async with AsyncStore(stores.settings(database_url)) as astore:
            await astore.atomically(work)

    def with_awaited() -> None:
        work: Any = awaited
        store.atomically(work)

    for attempt in (with_awaited, lambda: asyncio.run(with_lazy())):
        with pytest.raises(errors.InvalidValue) as refused:
            attempt()
        assert refused.value.place == "work"
    with store.connection() as conn:
        user = users.get_user(conn, id=user_id)
    assert user
    assert user.display_name is None
