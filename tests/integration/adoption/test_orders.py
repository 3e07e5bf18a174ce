"""An adopted order keeps its status, though its events were never recorded."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest

from generated import deposits, orders
from generated.models import Order
from store_testing import factories
from tests.support import adopted, stores

ADA = UUID("10000000-0000-4000-8000-000000000001")
DAVE = UUID("10000000-0000-4000-8000-000000000004")

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
    return UUID(f"50000000-0000-4000-8000-{digit:012x}")


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
    old.execute("UPDATE orders SET status = 'delivered' WHERE user_id = %s", [ADA])
    with stores.opened(old_url) as store:
        store.delete_user(ADA)
    left = old.execute("SELECT DISTINCT right(id, 1) FROM order_events ORDER BY 1")
    assert left.fetchall() == [("e",), ("f",)]


@pytest.mark.parametrize("kind", ["db", "onchain"])
def test_an_order_in_flight_takes_its_item_when_it_is_paid(
    old_url: str, old: psycopg.Connection, kind: str
) -> None:
    """Not before: until then several orders may be for an item that is in the cart."""
    item = "40000000-0000-4000-8000-00000000000a"
    if kind == "db":
        old.execute("UPDATE order_items SET on_chain_object_id = NULL")
        old.execute("UPDATE cart_items SET on_chain_object_id = NULL")

    def is_live() -> bool:
        query = "SELECT deleted_at IS NULL FROM cart_items WHERE id = %s"
        row = old.execute(query, [item]).fetchone()
        assert row
        return bool(row[0])

    adopted.adopt(old_url)
    assert is_live()
    with stores.opened(old_url, cart_service=kind) as store:
        store.record_order_event(
            factories.event("orders.payment.failed", "crossmint-9")
        )
        assert is_live()
        store.record_order_event(
            factories.event("orders.payment.succeeded", "crossmint-a")
        )
        assert not is_live()
        store.record_order_event(
            factories.event("orders.payment.succeeded", "crossmint-9")
        )
        assert not is_live()


@pytest.mark.parametrize("kind", ["db", "onchain"])
def test_what_the_chain_has_ended_stays_gone(
    old_url: str, old: psycopg.Connection, kind: str
) -> None:
    """An order for it is cancelled or given up as any other, and the item stays out."""
    old.execute("UPDATE cart_items SET deleted_at = now() WHERE id::text LIKE '%a'")
    adopted.adopt(old_url)
    with stores.opened(old_url, cart_service=kind) as store:
        received = store.record_order_event(
            factories.event("orders.payment.failed", "crossmint-9")
        )
        given_up = store.give_up_checkouts(timedelta(0))
    assert received.status_after == "cancelled"
    assert order_id(0xA) in {each.order.id for each in given_up}
    left = old.execute(
        "SELECT deleted_at IS NULL, ended_at IS NULL FROM cart_items"
        " WHERE id::text LIKE '%a'"
    )
    assert left.fetchall() == [(False, False)]


def test_adopted_deposits_count_as_settled(
    old_url: str, old: psycopg.Connection
) -> None:
    """No list shows them to a worker, none is credited, and adoption says how many."""
    told: list[str] = []
    adopted.adopt(old_url, progress=told.append)
    said = next(line for line in told if "settled" in line)
    assert said.startswith("-- 3 deposits of 100.5 USDC together count as settled")
    assert deposits.list_deposits_to_check(old, max_rows=9) == []
    hashes = old.execute("SELECT tx_hash FROM orders WHERE type = 'deposit'").fetchall()
    assert len(hashes) == 4
    for (tx_hash,) in hashes:
        assert deposits.credit_deposit(old, tx_hash=tx_hash) is None
        assert deposits.fail_deposit(old, tx_hash=tx_hash) is None
    unsettled = old.execute(
        "SELECT count(*) FROM orders WHERE type = 'deposit' AND settled_at IS NULL"
    )
    assert unsettled.fetchone() == (0,)


def test_a_deposit_that_is_claimed_after_the_adoption_is_credited(
    old_url: str, old: psycopg.Connection
) -> None:
    """Only those that came with the database are settled."""
    adopted.adopt(old_url)
    tx_hash = "3" * 32
    assert deposits.claim_deposit(old, user_id=ADA, tx_hash=tx_hash)
    assert deposits.confirm_deposit(old, tx_hash=tx_hash, amount_usdc=Decimal(1))
    assert [
        each.tx_hash for each in deposits.list_deposits_to_check(old, max_rows=9)
    ] == [tx_hash]
    assert deposits.credit_deposit(old, tx_hash=tx_hash)


def test_a_cancelled_order_that_was_paid_stays_cancelled(
    old_url: str, old: psycopg.Connection
) -> None:
    """Where payments left no hash, the digest that followed one says that it was."""
    old.execute("UPDATE orders SET payment_hash = NULL")
    adopted.adopt(old_url)
    with stores.opened(old_url) as store:
        for digit in (5, 8):
            store.record_order_event(
                factories.event("orders.payment.succeeded", f"crossmint-{digit}")
            )
    assert read(old, 5).status == "payment_confirmed"
    assert read(old, 8).status == "cancelled"


def test_an_order_without_a_snapshot_is_shown(
    old_url: str, old: psycopg.Connection
) -> None:
    """The old indexer made it of a chain event, and adoption leaves it alone."""
    adopted.adopt(old_url)
    order = orders.get_order(old, id=order_id(0xB), user_id=DAVE)
    assert order is not None
    assert (order.status, order.checkout_id) == ("awaiting_approval", None)


def test_a_deposit_stays_claimed(old_url: str) -> None:
    """A transaction that was credited before is not credited again, however spelled."""
    adopted.adopt(old_url)
    with stores.opened(old_url) as store, store.connection() as conn:
        other = factories.add_user(conn)
        tx_hash = "0x" + "abcdef" * 10 + "abcd"
        assert deposits.claim_deposit(conn, user_id=other, tx_hash=tx_hash) is None
