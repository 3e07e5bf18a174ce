"""Two at once that concern one order.

T1 has done everything but its COMMIT, and waits at the gate; T2 starts and comes as far
as it can; then the gate opens. None of it ends in a deadlock.
"""

import json
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest

from generated import orders
from generated.enums import OrderStatus
from generated.internal import user_steps
from generated.models import CartItem, Order
from store import PlacedOrder, Product, ReceivedEvent, Store, errors
from store_testing import crossmint, factories
from store_testing.factories import PAYMENT_FAILED, PAYMENT_SUCCEEDED
from tests.support import gates, races, stores
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
    body, headers = crossmint.delivery(
        "evt", crossmint.event(PAYMENT_FAILED, crossmint.order("x"))
    )

    def receive() -> ReceivedEvent:
        return store.receive_order_event(body, headers)

    one, other = race(gate, receive, receive)
    assert (one.result().is_first, other.result().is_first) == (True, False)
    assert replace(one.result(), is_first=False) == other.result()
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


@pytest.mark.parametrize("odd_first", [False, True])
def test_an_event_that_waits_for_a_deletion(
    store: Store,
    conn: psycopg.Connection,
    placed: PlacedOrder,
    database_url: str,
    odd_first: bool,
) -> None:
    """T1: an event, kept and waiting for the user; T2 deletes the user meanwhile.

    Of the event is left that it happened: neither body nor hash outlive the user,
    whether the body is kept parsed or raw. An event behind it is left the same.
    """
    store.cancel_order(placed.order.user_id, placed.order.id)
    late = json.dumps(crossmint.event(PAYMENT_SUCCEEDED, crossmint.order("x")))
    bodies = sorted([late, late[:-1] + ', "more": NaN}'], key=len, reverse=odd_first)

    def receive(number: int) -> ReceivedEvent:
        body = bodies[number]
        return store.receive_order_event(
            body.encode(), crossmint.signed(f"evt-{number}", body)
        )

    with psycopg.connect(database_url) as deletion, ThreadPoolExecutor(2) as threads:
        user_steps.lock_user(deletion, id=placed.order.user_id)
        first = threads.submit(receive, 0)
        gates.wait_until_waiting(conn, 1, behind=deletion.info.backend_pid)
        user_steps.erase_orders(deletion, user_id=placed.order.user_id, max_rows=9)
        user_steps.erase_user(deletion, id=placed.order.user_id)
        second = threads.submit(receive, 1)
        gates.wait_until_waiting(conn, 2)
        deletion.commit()
        assert (first.result().order, second.result().order) == (None, None)
    kept = conn.execute("SELECT id, payload, raw, payment_hash FROM order_events")
    assert sorted(kept.fetchall()) == [
        ("evt-0", None, None, None),
        ("evt-1", None, None, None),
    ]


def test_an_event_after_a_deletion_is_stripped(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder
) -> None:
    """Of what comes for a deleted user's order no body is kept, parsed or raw."""
    store.cancel_order(placed.order.user_id, placed.order.id)
    store.delete_user(placed.order.user_id)
    late = json.dumps(crossmint.event(PAYMENT_SUCCEEDED, crossmint.order("x")))
    for number, body in enumerate((late, late[:-1] + ', "more": NaN}')):
        store.receive_order_event(
            body.encode(), crossmint.signed(f"evt-{number}", body)
        )
    kept = conn.execute(
        "SELECT type, amount_usdc, payload, raw, payment_hash FROM order_events"
    )
    stripped = (PAYMENT_SUCCEEDED, Decimal("69.99"), None, None, None)
    assert kept.fetchall() == [stripped] * 2
    # So it is with what gets there in any other way.
    conn.execute(
        "INSERT INTO order_events (id, crossmint_order_id, raw) VALUES ('r', 'x', 'a')"
    )
    [kept_raw] = conn.execute("SELECT raw FROM order_events WHERE id = 'r'")
    assert kept_raw == (None,)


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
    product = Product(product_id="B01", product_name="Notebook", price=price)
    return store.add_cart_item(user_id, product, replace=True).item


def _order(conn: psycopg.Connection, placed: PlacedOrder) -> Order:
    order = orders.get_order(conn, id=placed.order.id, user_id=placed.order.user_id)
    assert order is not None
    return order
