"""What keeps others out where there is no row to lock: rows of mutexes, by hash."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from uuid import UUID

import psycopg
import pytest

from generated.internal import chain_steps, order_steps
from generated.models import CartItem
from store import OrderEvent, Store
from store_testing import factories
from tests.support import gates, races, stores

_SLOT = "SELECT hashtextextended(%s, 0) & 4095"
_ROW = "SELECT id FROM mutexes WHERE id = %s FOR UPDATE"
# As every version before migration 0017 did, and no more than that.
_ADVISORY = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
_CHAIN_ADVISORY = "SELECT pg_advisory_xact_lock(hashtext('chain_cursor'), 0)"


def _slot(conn: psycopg.Connection, crossmint_order_id: str) -> int:
    [(slot,)] = conn.execute(_SLOT, [crossmint_order_id])
    return int(slot)


def _named(conn: psycopg.Connection, prefix: str, meant: Callable[[int], bool]) -> str:
    """Find a Crossmint order, named like this, whose row is as meant."""
    return next(name for n in count() if meant(_slot(conn, name := f"{prefix}-{n}")))


@pytest.mark.parametrize("statement", [_ROW, _ADVISORY])
def test_each_lock_alone_keeps_a_checkout_out(
    store: Store, conn: psycopg.Connection, item: CartItem, statement: str
) -> None:
    """The row does, on whatever node; and what an older version holds does, too."""
    order_steps.lock_crossmint_orders(conn, crossmint_order_ids=["x"])
    key = _slot(conn, "x") if statement == _ROW else "x"
    with ThreadPoolExecutor(1) as thread:
        with conn.transaction():
            assert conn.execute(statement.encode(), [key]).fetchone()
            placing = thread.submit(
                store.checkout, item.user_id, [factories.line(item, "x")]
            )
            gates.wait_until_waiting(conn, 1)
        assert placing.result()


def test_an_order_that_is_not_here_yet_is_locked_by_who_comes_first(
    store: Store, conn: psycopg.Connection, item: CartItem
) -> None:
    """T1: an event, the first to lock that row; T2: its checkout, which sees it."""
    event = OrderEvent(
        id="msg_1", type="orders.payment.succeeded", crossmint_order_id="x"
    )
    with ThreadPoolExecutor(1) as thread:
        with store.transaction() as first:
            store.within(first).record_order_event(event)
            placing = thread.submit(
                store.checkout, item.user_id, [factories.line(item, "x")]
            )
            gates.wait_until_waiting(conn, 1)
        [placed] = placing.result()
    assert placed.order.status == "payment_confirmed"


def test_rows_are_locked_in_their_own_order(
    database_url: str, conn: psycopg.Connection
) -> None:
    """Who waits for the lower row does not hold the higher one, whatever the ids."""
    high = _named(conn, "a", lambda slot: slot > 3000)
    low = _named(conn, "b", lambda slot: slot < 1000)
    order_steps.lock_crossmint_orders(conn, crossmint_order_ids=[low, high])
    with psycopg.connect(database_url) as other, ThreadPoolExecutor(1) as thread:
        with conn.transaction():
            assert conn.execute(_ROW, [_slot(conn, low)]).fetchone()
            waiting = thread.submit(
                order_steps.lock_crossmint_orders,
                other,
                crossmint_order_ids=[low, high],
            )
            gates.wait_until_waiting(conn, 1)
            free = conn.execute(f"{_ROW} SKIP LOCKED".encode(), [_slot(conn, high)])
            assert free.fetchone()
        waiting.result()


def test_locking_writes_nothing_after_the_first_time(conn: psycopg.Connection) -> None:
    """A row is made once, and each later lock leaves its version as it is."""
    seen = set[tuple[object, ...]]()
    for _ in range(3):
        order_steps.lock_crossmint_orders(conn, crossmint_order_ids=["x", "x"])
        chain_steps.lock_chain_cursor(conn)
        seen.add(tuple(conn.execute("SELECT ctid, xmin, id FROM mutexes ORDER BY id")))
    assert len(seen) == 1
    [rows] = seen
    assert len(rows) == 2


@pytest.mark.parametrize(
    "statement", ["SELECT id FROM mutexes WHERE id = -1 FOR UPDATE", _CHAIN_ADVISORY]
)
def test_each_lock_alone_keeps_pages_out(
    database_url: str, conn: psycopg.Connection, statement: str
) -> None:
    """Of pages of the chain, too, the row decides, and what an older version holds."""
    chain_steps.lock_chain_cursor(conn)
    with psycopg.connect(database_url) as other, ThreadPoolExecutor(1) as thread:
        with conn.transaction():
            assert conn.execute(statement.encode()).fetchone()
            waiting = thread.submit(chain_steps.lock_chain_cursor, other)
            gates.wait_until_waiting(conn, 1)
        waiting.result()


def test_many_callers_with_crossed_orders(
    database_url: str, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Checkouts of many orders each, in every order, never end in a deadlock."""
    names = [f"crossmint-{n}" for n in range(12)]
    with (
        races.no_deadlock(conn),
        stores.opened(database_url) as store,
        ThreadPoolExecutor(4) as threads,
    ):

        def lock(turn: int) -> None:
            given = names[turn % 12 :] + names[: turn % 12]
            with store.transaction() as inside:
                order_steps.lock_crossmint_orders(
                    inside, crossmint_order_ids=given[:: 1 if turn % 2 else -1]
                )

        list(threads.map(lock, range(100)))
    assert factories.orders_of(conn, user_id) == []
