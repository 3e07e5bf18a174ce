"""Two at once that concern one order.

T1 has done everything but its COMMIT, and waits at the gate; T2 starts and comes as far
as it can; then the gate opens. None of it ends in a deadlock.
"""

from collections.abc import Generator
from uuid import UUID

import psycopg
import pytest

from generated import orders
from generated.enums import OrderStatus
from generated.models import CartItem, Order
from store import OrderEvent, PlacedOrder, Store, errors
from tests.support import factories, gates, races, stores
from tests.support.factories import PAYMENT_FAILED, PAYMENT_SUCCEEDED
from tests.support.gates import Gate
from tests.support.races import race


@pytest.fixture
def store(database_url: str, conn: psycopg.Connection) -> Generator[Store]:
    """Give a store that fails the test on a deadlock."""
    with races.no_deadlock(conn), stores.opened(database_url) as opened:
        yield opened


@pytest.fixture
def gate(database_url: str) -> Generator[Gate]:
    """Give a shut gate; ask for it after the fixtures that write."""
    with gates.shut(database_url) as shut:
        yield shut


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
    assert factories.cart_of(conn, placed.order.user_id) == []


def test_one_webhook_delivered_twice_at_once(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, gate: Gate
) -> None:
    """T1: a webhook; T2: the same one. It is kept, and has its effect, once."""
    body, headers = stores.webhook(
        "evt", {"type": PAYMENT_FAILED, "payload": {"orderId": "x"}}
    )

    def receive() -> OrderEvent:
        return store.receive_order_event(body, headers)

    one, other = race(gate, receive, receive)
    assert one.result() == other.result()
    assert conn.execute("SELECT id FROM order_events").fetchall() == [("evt",)]
    assert _order(conn, placed).status == OrderStatus.CANCELLED
    [item] = factories.cart_of(conn, placed.order.user_id)
    assert item.id == placed.item.cart_item_id


def test_an_event_and_then_its_order(
    store: Store, conn: psycopg.Connection, user_id: UUID, item: CartItem, gate: Gate
) -> None:
    """T1: an event of an unknown order; T2: creates it, as the event says."""
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
    """T1: creates an order; T2: an event of it, which changes the order."""
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
    assert factories.cart_of(conn, user_id) == []


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
    assert [row.price for row in factories.cart_of(conn, user_id)] == [2]


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
    assert [row.id for row in factories.cart_of(conn, user_id)] == [one.result().id]


def _add(store: Store, user_id: UUID, *, price: int) -> CartItem:
    with store.connection() as conn:
        return factories.add_item(conn, user_id, product_id="B01", price=price)


def _order(conn: psycopg.Connection, placed: PlacedOrder) -> Order:
    order = orders.get_order(conn, id=placed.order.id, user_id=placed.order.user_id)
    assert order is not None
    return order
