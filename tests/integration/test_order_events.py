"""Webhooks end to end: signed, kept as they came, and applied once."""

import json
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest

from generated import orders
from generated.enums import OrderStatus
from generated.models import CartItem, Order
from store import PlacedOrder, Store, errors, webhooks
from store_testing import crossmint, factories
from store_testing.crossmint import Shape
from store_testing.factories import PAYMENT_FAILED, PAYMENT_SUCCEEDED
from tests.support import stores
from tests.support.tables import Tables

ORDER = crossmint.order("x", quoted="15.35", received="15.35", tx_id="0xpaid")
EVENT = crossmint.event(PAYMENT_SUCCEEDED, ORDER)


def order_of(conn: psycopg.Connection, placed: PlacedOrder) -> Order:
    """Read the order as it is now."""
    order = orders.get_order(conn, id=placed.order.id, user_id=placed.order.user_id)
    assert order is not None
    return order


@pytest.mark.parametrize("shape", ["data", "payload"])
def test_a_payment_confirms_its_order(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, shape: Shape
) -> None:
    """The order gets the payment's hash and amounts; the event is kept as it came."""
    event = crossmint.event(PAYMENT_SUCCEEDED, ORDER, shape)
    received = store.receive_order_event(*crossmint.delivery("evt", event))
    order = order_of(conn, placed)
    assert order.status == OrderStatus.PAYMENT_CONFIRMED
    assert order.payment_hash == "0xpaid"
    assert order.amount_usdc == order.quoted_usdc == Decimal("15.35")
    assert order.received_usdc == Decimal("15.35")
    assert received.order == order
    assert (received.is_first, received.status_before) == (True, "awaiting_approval")
    assert received.status_after == OrderStatus.PAYMENT_CONFIRMED
    [kept] = conn.execute("SELECT id, payload, raw FROM order_events")
    assert kept == ("evt", event, None)


def test_a_number_is_stored_as_it_is_written(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder
) -> None:
    """An amount that is a JSON number arrives to its last digit, in the payload too."""
    body = (
        f'{{"type": "{PAYMENT_SUCCEEDED}", "data": {{"orderId": "x", "quote":'
        ' {"totalPrice": {"amount": 123456789012.345670, "currency": "USDXM"}}}}'
    )
    store.receive_order_event(body.encode(), crossmint.signed("evt", body))
    assert order_of(conn, placed).amount_usdc == Decimal("123456789012.34567")
    [(amount,)] = conn.execute(
        "SELECT payload #>> '{data,quote,totalPrice,amount}' FROM order_events"
    )
    assert amount == "123456789012.345670"


@pytest.mark.usefixtures("placed")
def test_a_redelivery_changes_nothing(store: Store, conn: psycopg.Connection) -> None:
    """The same `svix-id` again writes nothing, whatever its body says now."""
    store.receive_order_event(*crossmint.delivery("evt", EVENT))
    tables = Tables(conn)
    before = tables.read()
    store.receive_order_event(*crossmint.delivery("evt", EVENT))
    other = crossmint.event("orders.delivery.failed", ORDER)
    again = store.receive_order_event(*crossmint.delivery("evt", other))
    assert not again.is_first
    assert tables.read() == before


@pytest.mark.usefixtures("placed")
def test_an_unsigned_webhook_writes_nothing(
    store: Store, conn: psycopg.Connection
) -> None:
    """What none of the secrets signed is refused before the database is asked."""
    tables = Tables(conn)
    before = tables.read()
    body, headers = crossmint.delivery("evt", EVENT)
    with pytest.raises(errors.SignatureInvalid):
        store.receive_order_event(body + b" ", headers)
    assert tables.read() == before


def deep(levels: int) -> str:
    """Nest lists."""
    return "[" * levels + "]" * levels


ODD = {
    "NUL": b'"\\u0000"',
    "lone surrogate": b'"\\ud800"',
    "NaN": b"NaN",
    "5,000 digits": b"9" * 5000,
    "1E+400": b"1E+400",
    "1E+999999999": b"1E+999999999",
    "600 levels": deep(600).encode(),
    "100,000 levels": deep(100_000).encode(),
    "no UTF-8": b'"\xff"',
    "a raw NUL": b'"\0"',
    "half a mebibyte": b'"' + b"a" * (1 << 19) + b'"',
}


@pytest.mark.parametrize("name", ODD)
def test_no_signed_payment_is_lost(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, name: str
) -> None:
    """Whatever else is in its body, a payment counts, and its body stays readable."""
    body = json.dumps(EVENT)[:-1].encode() + b', "more": ' + ODD[name] + b"}"
    received = store.receive_order_event(body, crossmint.signed("evt", body))
    order = order_of(conn, placed)
    assert (received.order, order.status) == (order, OrderStatus.PAYMENT_CONFIRMED)
    assert (order.payment_hash, order.amount_usdc) == ("0xpaid", Decimal("15.35"))
    [(payload, raw)] = conn.execute("SELECT payload, raw FROM order_events")
    assert (
        payload == json.loads(body) if raw is None else (payload, raw) == (None, body)
    )
    assert (raw is None) == (name == "half a mebibyte")


def test_the_server_tells_what_it_cannot_hold(conn: psycopg.Connection) -> None:
    """What jsonb refuses, for whatever reason, is no error but nothing."""
    held = {
        name
        for name, value in ODD.items()
        for [parsed] in conn.execute(
            "SELECT jsonb_or_null(%s) IS NOT NULL", [b"[" + value + b"]"]
        )
        if parsed
    }
    assert held == {"5,000 digits", "1E+400", "600 levels", "half a mebibyte"}


@pytest.mark.parametrize("raw", [False, True])
def test_a_body_beyond_a_mebibyte_is_not_kept(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, raw: bool
) -> None:
    """Of a body that is too large the event is kept, and counts; the body is not."""
    filler = "a" * webhooks.LONGEST_BODY + "\0" * raw
    body = json.dumps({**EVENT, "more": filler})
    store.receive_order_event(body.encode(), crossmint.signed("evt", body))
    assert order_of(conn, placed).status == OrderStatus.PAYMENT_CONFIRMED
    [kept] = conn.execute("SELECT payload, raw FROM order_events")
    assert kept == (None, None)


def test_a_body_of_a_mebibyte_is_kept(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder
) -> None:
    """The largest body that is kept fits, be it JSON or not."""
    for number, end in enumerate(('"}', "")):
        head = json.dumps(EVENT)[:-1] + ', "more": "'
        body = head + "a" * (webhooks.LONGEST_BODY - len(head) - len(end)) + end
        store.receive_order_event(
            body.encode(), crossmint.signed(f"evt-{number}", body)
        )
    kept = conn.execute(
        "SELECT payload IS NULL, octet_length(raw) FROM order_events ORDER BY id"
    )
    assert kept.fetchall() == [(False, None), (True, webhooks.LONGEST_BODY)]
    assert order_of(conn, placed).status == OrderStatus.PAYMENT_CONFIRMED


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{", b"\xff\xfe\0", b'{"type": "t\\u0000"}', b"{}"]
)
@pytest.mark.usefixtures("placed")
def test_a_signed_event_of_nothing_is_kept(
    store: Store, conn: psycopg.Connection, body: bytes
) -> None:
    """What names neither order nor type is kept, changes nothing, and is answered."""
    tables = Tables(conn)
    before = tables.read()
    received = store.receive_order_event(body, crossmint.signed("evt", body))
    assert (received.is_first, received.order, received.to_announce) == (
        True,
        None,
        False,
    )
    again = store.receive_order_event(body, crossmint.signed("evt", body))
    assert (again.is_first, again.order) == (False, None)
    after = tables.read()
    [kept] = after.pop("order_events").values()
    assert (kept["type"], kept["crossmint_order_id"]) == (None, None)
    assert after.items() <= before.items()
    [(payload, raw)] = conn.execute("SELECT payload::text, raw FROM order_events")
    assert (payload, raw) in {(body.decode("latin-1"), None), (None, body)}


def test_an_event_without_a_type_has_no_effect(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder
) -> None:
    """An event of an order that is here, but of no type, changes nothing of it."""
    event = {"actionId": "x", "data": ORDER}
    received = store.receive_order_event(*crossmint.delivery("evt", event))
    assert received.order == order_of(conn, placed) == placed.order
    assert received.status_before == received.status_after


def test_webhooks_need_their_secrets(database_url: str) -> None:
    """Without CROSSMINT_WEBHOOK_SECRETS no webhook is taken."""
    with (
        stores.opened(database_url, crossmint_webhook_secrets=()) as store,
        pytest.raises(errors.ConfigurationError, match="CROSSMINT_WEBHOOK_SECRETS"),
    ):
        store.receive_order_event(*crossmint.delivery("evt", EVENT))


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
