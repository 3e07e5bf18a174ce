"""Two at once: each race is set up by locks, and none ends in a deadlock.

T1 has done everything but its COMMIT, and waits at the gate; T2 starts and comes as far
as it can; then the gate opens.
"""

import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

import psycopg
import pytest

from generated import carts, orders, users
from generated.enums import OrderStatus
from generated.models import CartItem, Order
from store import PlacedOrder, Store, errors
from tests.support import factories, gates, stores
from tests.support.factories import PAYMENT_FAILED, PAYMENT_SUCCEEDED
from tests.support.gates import Gate

_T = TypeVar("_T")
_U = TypeVar("_U")
Race: TypeAlias = Callable[
    [Callable[[], Any], Callable[[], Any]], tuple[Future[Any], Future[Any]]
]


@pytest.fixture
def store(database_url: str, conn: psycopg.Connection) -> Generator[Store]:
    """Give a store; a deadlock, though retried and so unseen, fails the test."""
    with stores.opened(database_url) as opened:
        yield opened
    _wait_until_alone(conn)
    [(deadlocks,)] = conn.execute(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    assert deadlocks == 0


@pytest.fixture
def user_id(store: Store) -> UUID:
    """Give a user."""
    with store.connection() as conn:
        return factories.add_user(conn)


@pytest.fixture
def item(store: Store, user_id: UUID) -> CartItem:
    """Give an item in the user's cart."""
    with store.connection() as conn:
        return factories.add_item(conn, user_id, product_id="B01")


@pytest.fixture
def placed(store: Store, user_id: UUID, item: CartItem) -> PlacedOrder:
    """Give the order of that item, which Crossmint knows as `x`."""
    [placed] = store.checkout(user_id, [factories.line(item, "x")])
    return placed


@pytest.fixture
def gate(database_url: str) -> Generator[Gate]:
    """Give a shut gate; ask for it after the fixtures that write."""
    with gates.shut(database_url) as shut:
        yield shut


def race(
    gate: Gate, first: Callable[[], _T], second: Callable[[], _U]
) -> tuple["Future[_T]", "Future[_U]"]:
    """Bring T1 to its COMMIT, T2 as far as it comes, then let both end."""
    with ThreadPoolExecutor(2) as threads:
        try:
            one = threads.submit(first)
            gate.wait_for_arrival()
            other = threads.submit(second)
            gate.wait_until_waiting(2)
        finally:
            gate.open()
    return one, other


def _wait_until_alone(conn: psycopg.Connection) -> None:
    """Wait for the store's backends to end, which is when they report deadlocks."""
    others = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    while conn.execute(others).fetchone() != (0,):
        time.sleep(0.002)


# Checkouts


def test_two_checkouts_of_one_item(
    store: Store, conn: psycopg.Connection, user_id: UUID, item: CartItem, gate: Gate
) -> None:
    """T1: check out; T2: check out the same item. The second is refused."""
    one, other = race(
        gate,
        lambda: store.checkout(user_id, [factories.line(item, "x")]),
        lambda: store.checkout(user_id, [factories.line(item, "y")]),
    )
    [placed] = one.result()
    with pytest.raises(errors.ItemUnavailable):
        other.result()
    rows = orders.list_orders(conn, user_id=user_id, max_rows=9)
    assert [row.order.id for row in rows] == [placed.order.id]


def test_one_checkout_sent_twice(
    store: Store, user_id: UUID, item: CartItem, gate: Gate
) -> None:
    """T1: check out; T2: the same lines with their ids. Both get one result."""

    def checkout() -> list[PlacedOrder]:
        return store.checkout(user_id, [factories.line(item, "x")])

    one, other = race(gate, checkout, checkout)
    assert one.result() == other.result()


def test_two_checkouts_of_crossed_items(
    store: Store, conn: psycopg.Connection, user_id: UUID, item: CartItem
) -> None:
    """T1: items A, B; T2: items B, A. One gets both, the other neither."""
    other_item = factories.add_item(conn, user_id)
    lines = [factories.line(item), factories.line(other_item)]
    with ThreadPoolExecutor(2) as threads:
        with conn.transaction():
            orders.lock_user(conn, id=user_id)
            both = [
                threads.submit(store.checkout, user_id, order)
                for order in (lines, lines[::-1])
            ]
            gates.wait_until_waiting(conn, 2)
    outcomes = [future.exception() or future.result() for future in both]
    assert sorted(map(type, outcomes), key=str) == [list, errors.ItemUnavailable]


def test_crossed_crossmint_orders_are_locked_in_order(
    store: Store, conn: psycopg.Connection, user_id: UUID, item: CartItem
) -> None:
    """T1: orders a, b; T2: orders b, a. Neither holds b while it waits for a."""
    other_item = factories.add_item(conn, user_id)
    forth = [factories.line(item, "a"), factories.line(other_item, "b")]
    back = [factories.line(other_item, "b"), factories.line(item, "a")]
    with ThreadPoolExecutor(2) as threads:
        with conn.transaction():
            orders.lock_crossmint_orders(conn, crossmint_order_ids=["a"])
            both = [threads.submit(store.checkout, user_id, l) for l in (forth, back)]
            gates.wait_until_waiting(conn, 2)
            [(held,)] = conn.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                " AND pid <> pg_backend_pid()"
            )
    assert held == 0
    one, other = (future.result() for future in both)
    assert {each.order.id for each in one} == {each.order.id for each in other}


# The cart


def test_a_removal_before_a_checkout(
    store: Store, conn: psycopg.Connection, user_id: UUID, item: CartItem, gate: Gate
) -> None:
    """T1: remove; T2: check out. The checkout is refused and writes nothing."""
    one, other = race(
        gate,
        lambda: _remove(store, item),
        lambda: store.checkout(user_id, [factories.line(item)]),
    )
    assert one.result() is not None
    with pytest.raises(errors.ItemUnavailable):
        other.result()
    assert orders.list_orders(conn, user_id=user_id, max_rows=9) == []


def test_a_checkout_before_a_removal(
    store: Store, user_id: UUID, item: CartItem, gate: Gate
) -> None:
    """T1: check out; T2: remove. The item is bought, and no longer there to remove."""
    one, other = race(
        gate,
        lambda: store.checkout(user_id, [factories.line(item)]),
        lambda: _remove(store, item),
    )
    assert [each.item.cart_item_id for each in one.result()] == [item.id]
    assert other.result() is None


def test_two_adds_of_one_variant(
    store: Store, conn: psycopg.Connection, user_id: UUID, gate: Gate
) -> None:
    """T1: add; T2: add the same variant. It is one row, with the second's details."""
    one, other = race(
        gate, lambda: _add(store, user_id, price=1), lambda: _add(store, user_id, price=2)
    )
    assert one.result().id == other.result().id
    assert [row.price for row in _cart(conn, user_id)] == [2]


def test_two_sign_ups_of_one_identity(
    store: Store, conn: psycopg.Connection, gate: Gate
) -> None:
    """T1: create a user; T2: of the same identity. Both get the one row."""

    def sign_up() -> UUID:
        with store.connection() as conn:
            return factories.add_user(conn, "google|1")

    one, other = race(gate, sign_up, sign_up)
    assert one.result() == other.result()
    found = users.get_user_by_crossmint_user_id(conn, crossmint_user_id="google|1")
    assert found
    assert found.id == one.result()


# Order events


@pytest.mark.parametrize(
    "types", [(PAYMENT_FAILED, PAYMENT_SUCCEEDED), (PAYMENT_SUCCEEDED, PAYMENT_FAILED)]
)
def test_two_events_of_one_order(
    store: Store,
    conn: psycopg.Connection,
    placed: PlacedOrder,
    gate: Gate,
    types: tuple[str, str],
) -> None:
    """T1: an event; T2: another one. The status follows from both."""
    first, second = (factories.event(type_, "x") for type_ in types)
    one, other = race(
        gate,
        lambda: store.record_order_event(first),
        lambda: store.record_order_event(second),
    )
    one.result()
    other.result()
    assert _order(conn, placed).status == OrderStatus.PAYMENT_CONFIRMED
    assert _cart(conn, placed.order.user_id) == []


def test_an_event_and_then_its_order(
    store: Store, conn: psycopg.Connection, user_id: UUID, item: CartItem, gate: Gate
) -> None:
    """T1: an event of an unknown order; T2: creates the order. It is as the event says."""
    one, other = race(
        gate,
        lambda: store.record_order_event(factories.event(PAYMENT_SUCCEEDED, "x")),
        lambda: store.checkout(user_id, [factories.line(item, "x")]),
    )
    one.result()
    [placed] = other.result()
    assert placed.order.status == OrderStatus.PAYMENT_CONFIRMED
    assert _order(conn, placed) == placed.order


def test_an_order_and_then_its_event(
    store: Store, conn: psycopg.Connection, user_id: UUID, item: CartItem, gate: Gate
) -> None:
    """T1: creates an order; T2: an event of it. The order becomes what the event says."""
    one, other = race(
        gate,
        lambda: store.checkout(user_id, [factories.line(item, "x")]),
        lambda: store.record_order_event(factories.event(PAYMENT_SUCCEEDED, "x")),
    )
    other.result()
    [placed] = one.result()
    assert placed.order.status == OrderStatus.AWAITING_APPROVAL
    assert _order(conn, placed).status == OrderStatus.PAYMENT_CONFIRMED


def test_a_cancellation_before_a_payment(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, gate: Gate
) -> None:
    """T1: cancel; T2: the payment arrives. Money moved: the item is taken again."""
    user_id = placed.order.user_id
    one, other = race(
        gate,
        lambda: store.cancel_order(user_id, placed.order.id),
        lambda: store.record_order_event(factories.event(PAYMENT_SUCCEEDED, "x")),
    )
    assert one.result().status == OrderStatus.CANCELLED
    other.result()
    assert _order(conn, placed).status == OrderStatus.PAYMENT_CONFIRMED
    assert _cart(conn, user_id) == []


def test_a_payment_before_a_cancellation(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, gate: Gate
) -> None:
    """T1: the payment arrives; T2: cancel. It is refused."""
    user_id = placed.order.user_id
    one, other = race(
        gate,
        lambda: store.record_order_event(factories.event(PAYMENT_SUCCEEDED, "x")),
        lambda: store.cancel_order(user_id, placed.order.id),
    )
    one.result()
    with pytest.raises(errors.OrderNotCancellable):
        other.result()
    assert _order(conn, placed).status == OrderStatus.PAYMENT_CONFIRMED


def test_a_return_before_an_add(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, gate: Gate
) -> None:
    """T1: cancel, the item returns; T2: add its variant. It is the returned item."""
    user_id = placed.order.user_id
    one, other = race(
        gate,
        lambda: store.cancel_order(user_id, placed.order.id),
        lambda: _add(store, user_id, price=2),
    )
    one.result()
    assert other.result().id == placed.item.cart_item_id
    assert [row.price for row in _cart(conn, user_id)] == [2]


def test_an_add_before_a_return(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, gate: Gate
) -> None:
    """T1: add a variant; T2: cancel an order of it. The old item stays gone."""
    user_id = placed.order.user_id
    one, other = race(
        gate,
        lambda: _add(store, user_id, price=2),
        lambda: store.cancel_order(user_id, placed.order.id),
    )
    assert other.result().status == OrderStatus.CANCELLED
    assert [row.id for row in _cart(conn, user_id)] == [one.result().id]


def _add(store: Store, user_id: UUID, *, price: int) -> CartItem:
    with store.connection() as conn:
        return factories.add_item(conn, user_id, product_id="B01", price=price)


def _remove(store: Store, item: CartItem) -> CartItem | None:
    with store.connection() as conn:
        return carts.remove_cart_item(conn, id=item.id, user_id=item.user_id)


def _cart(conn: psycopg.Connection, user_id: UUID) -> list[CartItem]:
    return carts.list_cart_items(conn, user_id=user_id, max_rows=9)


def _order(conn: psycopg.Connection, placed: PlacedOrder) -> Order:
    order = orders.get_order(conn, id=placed.order.id, user_id=placed.order.user_id)
    assert order is not None
    return order
