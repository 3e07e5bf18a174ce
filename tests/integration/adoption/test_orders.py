"""An adopted order keeps its status, though its events were never recorded."""

from decimal import Decimal
from uuid import UUID

import psycopg
import pytest

from generated import deposits, orders
from generated.models import Order
from tests.support import adopted, factories, stores

ADA = UUID("10000000-0000-4000-8000-000000000001")

# By last digit of the id: the status, and what becomes of it after an event.
STATUSES = {
    1: "awaiting_approval",
    2: "payment_confirmed",
    3: "in_progress",
    4: "delivered",
    5: "cancelled",
    8: "cancelled",
}
PAID = STATUSES | {1: "payment_confirmed", 5: "payment_confirmed"}
DELIVERED = dict.fromkeys(STATUSES, "delivered")


def order_id(digit: int) -> UUID:
    """Give the id of an order of rows.sql."""
    return UUID(f"50000000-0000-4000-8000-{digit:012}")


def read(conn: psycopg.Connection, digit: int) -> Order:
    """Read an order."""
    order = orders.get_order(conn, id=order_id(digit), user_id=ADA)
    assert order is not None
    return order


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("orders.quote.updated", STATUSES),
        ("orders.payment.succeeded", PAID),
        ("orders.delivery.completed", DELIVERED),
    ],
)
def test_an_event_changes_an_adopted_order_as_any_other(
    old_url: str, old: psycopg.Connection, event: str, expected: dict[int, str]
) -> None:
    """One without effect has none; a payment sent again brings no failed delivery back.

    Hash and amount stay as they were, where an event has none.
    """
    adopted.adopt(old_url)
    before = {digit: read(old, digit) for digit in STATUSES}
    assert {digit: order.status for digit, order in before.items()} == STATUSES
    with stores.opened(old_url) as store:
        for digit in STATUSES:
            store.record_order_event(factories.event(event, f"crossmint-{digit}"))
    after = {digit: read(old, digit) for digit in STATUSES}
    assert {digit: order.status for digit, order in after.items()} == expected
    assert {order.amount_usdc for order in after.values()} == {Decimal("14.90")}
    for digit in STATUSES:
        assert after[digit].payment_hash == before[digit].payment_hash


def test_the_user_can_cancel_an_adopted_order(
    old_url: str, old: psycopg.Connection
) -> None:
    """Its item, which no live twin replaces, is in the cart again."""
    old.execute("UPDATE cart_items SET deleted_at = now() WHERE user_id = %s", [ADA])
    adopted.adopt(old_url)
    with stores.opened(old_url) as store:
        assert store.cancel_order(ADA, order_id(1)).status == "cancelled"
    live = old.execute(
        "SELECT id FROM cart_items WHERE user_id = %s AND deleted_at IS NULL", [ADA]
    )
    assert [row_id.hex[-1] for (row_id,) in live] == ["3"]


def test_an_adopted_user_can_be_deleted(old_url: str, old: psycopg.Connection) -> None:
    """With the orders go the events that adoption has made for them."""
    adopted.adopt(old_url)
    old.execute("UPDATE orders SET status = 'delivered'")
    with stores.opened(old_url) as store:
        store.delete_user(ADA)
    assert old.execute("SELECT count(*) FROM order_events").fetchone() == (0,)


def test_a_deposit_stays_claimed(old_url: str) -> None:
    """A transaction that was credited before is not credited again, however spelled."""
    adopted.adopt(old_url)
    with stores.opened(old_url) as store, store.connection() as conn:
        other = factories.add_user(conn)
        tx_hash = "0x" + "abcdef" * 10 + "abcd"
        assert deposits.claim_deposit(conn, user_id=other, tx_hash=tx_hash) is None
