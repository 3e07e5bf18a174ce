"""Webhooks end to end: signed, kept as they came, and applied once."""

from decimal import Decimal
from uuid import UUID

import psycopg
import pytest

from generated import orders
from generated.enums import OrderStatus
from generated.models import CartItem, Order
from store import PlacedOrder, Store, errors
from tests.support import factories, stores
from tests.support.factories import PAYMENT_FAILED, PAYMENT_SUCCEEDED
from tests.support.tables import Tables

EVENT = {
    "type": PAYMENT_SUCCEEDED,
    "payload": {
        "orderId": "x",
        "quote": {"totalPrice": {"amount": "15.35", "currency": "usdc"}},
        "payment": {"received": {"txId": "0xpaid"}},
        "and": ["what", {"nobody": "knows"}, None, 1.5, "\u2028 \U0001f6d2"],
    },
}


def order_of(conn: psycopg.Connection, placed: PlacedOrder) -> Order:
    """Read the order as it is now."""
    order = orders.get_order(conn, id=placed.order.id, user_id=placed.order.user_id)
    assert order is not None
    return order


def test_a_payment_confirms_its_order(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder
) -> None:
    """The order gets the payment's hash and amount; the event is kept as it came."""
    event = store.receive_order_event(*stores.webhook("evt", EVENT))
    order = order_of(conn, placed)
    assert order.status == OrderStatus.PAYMENT_CONFIRMED
    assert order.payment_hash == event.payment_hash == "0xpaid"
    assert order.amount_usdc == event.amount_usdc == Decimal("15.35")
    [(event_id, payload)] = conn.execute("SELECT id, payload FROM order_events")
    assert (event_id, payload) == ("evt", EVENT)


@pytest.mark.usefixtures("placed")
def test_a_redelivery_changes_nothing(store: Store, conn: psycopg.Connection) -> None:
    """The same `svix-id` again writes nothing, whatever its body says now."""
    store.receive_order_event(*stores.webhook("evt", EVENT))
    tables = Tables(conn)
    before = tables.read()
    store.receive_order_event(*stores.webhook("evt", EVENT))
    other = {"type": "orders.delivery.failed", "payload": {"orderId": "x"}}
    store.receive_order_event(*stores.webhook("evt", other))
    assert tables.read() == before


@pytest.mark.usefixtures("placed")
def test_an_unsigned_webhook_writes_nothing(
    store: Store, conn: psycopg.Connection
) -> None:
    """What none of the secrets signed is refused before the database is asked."""
    tables = Tables(conn)
    before = tables.read()
    body, headers = stores.webhook("evt", EVENT)
    with pytest.raises(errors.SignatureInvalid):
        store.receive_order_event(body + b" ", headers)
    assert tables.read() == before


@pytest.mark.parametrize(
    "value",
    ["NaN", "1e999", "-Infinity", "9" * 5000, '"\\u0000"', "[" * 150 + "]" * 150],
)
def test_what_the_database_cannot_keep_is_refused(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, value: str
) -> None:
    """A signed body either is kept whole, or an error of the store tells why not."""
    head = '{"type": "orders.payment.succeeded", "payload": {"orderId": "x"}, "more": '
    body = f"{head}{value}}}"
    try:
        store.receive_order_event(body.encode(), stores.signed("evt", body))
    except (errors.EventMalformed, errors.InvalidValue):
        assert order_of(conn, placed) == placed.order
    else:
        assert order_of(conn, placed).status == OrderStatus.PAYMENT_CONFIRMED


def test_webhooks_need_their_secrets(database_url: str) -> None:
    """Without CROSSMINT_WEBHOOK_SECRETS no webhook is taken."""
    with (
        stores.opened(database_url, crossmint_webhook_secrets=()) as store,
        pytest.raises(errors.ConfigurationError, match="CROSSMINT_WEBHOOK_SECRETS"),
    ):
        store.receive_order_event(*stores.webhook("evt", EVENT))


def test_an_event_of_another_order_changes_nothing_else(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder
) -> None:
    """An event of an order that is not here yet is kept, and moves no other order."""
    store.record_order_event(factories.event(PAYMENT_SUCCEEDED, "another"))
    assert order_of(conn, placed) == placed.order


def test_a_retried_payment_takes_the_item_again(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, user_id: UUID
) -> None:
    """A failed payment gives the item back, and one that succeeds later takes it."""
    store.record_order_event(factories.event(PAYMENT_FAILED, "x"))
    assert order_of(conn, placed).status == OrderStatus.CANCELLED
    assert [item.id for item in factories.cart_of(conn, user_id)] == [
        placed.item.cart_item_id
    ]
    store.record_order_event(factories.event(PAYMENT_SUCCEEDED, "x"))
    assert order_of(conn, placed).status == OrderStatus.PAYMENT_CONFIRMED
    assert factories.cart_of(conn, user_id) == []


def test_money_that_came_late_is_listed(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, item: CartItem
) -> None:
    """An item that was sold again before its first order was paid is paid twice."""
    user_id = item.user_id
    store.cancel_order(user_id, placed.order.id)
    [second] = store.checkout(user_id, [factories.line(item, "y")])
    assert orders.list_items_paid_twice(conn, user_id=user_id, max_rows=9) == []
    store.record_order_event(factories.event(PAYMENT_SUCCEEDED, "x"))
    listed = orders.list_items_paid_twice(conn, user_id=user_id, max_rows=9)
    assert [(row.cart_item_id, row.order.id) for row in listed] == [
        (item.id, placed.order.id),
        (item.id, second.order.id),
    ]


def test_an_item_that_another_order_holds_stays_gone(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, item: CartItem
) -> None:
    """A cancelled order gives nothing back that was paid for by another one."""
    user_id = item.user_id
    store.cancel_order(user_id, placed.order.id)
    [second] = store.checkout(user_id, [factories.line(item, "y")])
    store.record_order_event(factories.event(PAYMENT_SUCCEEDED, "x"))
    store.cancel_order(user_id, second.order.id)
    assert factories.cart_of(conn, user_id) == []


def test_a_deposit_has_no_events(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A deposit is no order of Crossmint's: events leave it alone."""
    conn.execute(
        "INSERT INTO orders (user_id, type, tx_hash, crossmint_order_id)"
        " VALUES (%s, 'deposit', %s, 'd')",
        [user_id, "1" * 32],
    )
    store.record_order_event(factories.event("orders.delivery.completed", "d"))
    [(status,)] = conn.execute("SELECT status FROM orders")
    assert status == OrderStatus.AWAITING_APPROVAL


def test_another_one_s_order_is_not_found(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder
) -> None:
    """A user cannot cancel, or learn of, another one's order."""
    with pytest.raises(errors.OrderNotFound):
        store.cancel_order(factories.add_user(conn), placed.order.id)
    assert order_of(conn, placed) == placed.order
