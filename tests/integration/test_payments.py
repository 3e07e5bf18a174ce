"""Payments that somebody has to look at: paid twice, too little, for no known order."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from uuid import UUID, uuid4

import psycopg
import pytest

from generated import orders
from generated.internal import order_steps
from generated.models import CartItem
from store import PlacedOrder, Store
from store_testing import crossmint, factories
from store_testing.factories import PAYMENT_FAILED, PAYMENT_SUCCEEDED

NO_TIME = timedelta(0)


def paid_twice(
    conn: psycopg.Connection, user_id: UUID | None = None
) -> list[tuple[UUID, list[UUID | None]]]:
    """Read which orders are paid twice, of one user or all, and with which others."""
    rows = order_steps.list_items_paid_twice(
        conn, user_id=user_id, after_created_at=None, after_id=None, max_rows=99
    )
    return [(row.order.id, row.other_order_ids) for row in rows]


def pay(store: Store, *names: str) -> None:
    """Let orders be paid."""
    for name in names:
        store.record_order_event(factories.event(PAYMENT_SUCCEEDED, name))


def cancelled_by_user(store: Store, placed: PlacedOrder) -> None:
    """Cancel an order."""
    store.cancel_order(placed.order.user_id, placed.order.id)


def failed(store: Store, placed: PlacedOrder) -> None:
    """Let the payment of an order fail."""
    name = placed.order.crossmint_order_id
    assert name is not None
    store.record_order_event(factories.event(PAYMENT_FAILED, name))


def given_up(store: Store, _: PlacedOrder) -> None:
    """Give an order up."""
    assert store.give_up_checkouts(NO_TIME)


ENDINGS = [cancelled_by_user, failed, given_up]
Ending = Callable[[Store, PlacedOrder], None]


@pytest.mark.parametrize("end", ENDINGS)
def test_an_item_that_two_paid_orders_hold(
    store: Store,
    conn: psycopg.Connection,
    placed: PlacedOrder,
    item: CartItem,
    end: Ending,
) -> None:
    """An item sold again before its first order was paid is listed once both are."""
    end(store, placed)
    [second] = store.checkout(item.user_id, [factories.line(item, "y")])
    pay(store, "x")
    assert paid_twice(conn) == [], "an order that only awaits approval was counted"
    pay(store, "y")
    expected = [(placed.order.id, [second.order.id])]
    assert paid_twice(conn) == paid_twice(conn, item.user_id) == expected
    assert paid_twice(conn, factories.add_user(conn)) == []
    store.record_order_event(factories.event("orders.delivery.failed", "y"))
    assert paid_twice(conn) == [], "money that went back is still owed"


@pytest.mark.parametrize("end", ENDINGS)
def test_a_product_that_was_added_again(
    store: Store,
    conn: psycopg.Connection,
    placed: PlacedOrder,
    item: CartItem,
    end: Ending,
) -> None:
    """A variant bought again as another item, before the first was paid, is listed."""
    end(store, placed)
    store.remove_cart_item(item.user_id, item.id)
    again = factories.add_item(conn, item.user_id, product_id="B01")
    [second] = store.checkout(item.user_id, [factories.line(again, "y")])
    pay(store, "y")
    assert paid_twice(conn) == []
    pay(store, "x")
    expected = [(placed.order.id, [second.order.id])]
    assert paid_twice(conn) == paid_twice(conn, item.user_id) == expected


def test_two_that_were_wanted_are_not_paid_twice(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, item: CartItem
) -> None:
    """One more of a variant, bought while the first was not cancelled, is one more."""
    again = factories.add_item(conn, item.user_id, product_id="B01")
    store.checkout(item.user_id, [factories.line(again, "y")])
    pay(store, "y")
    store.record_order_event(factories.event(PAYMENT_FAILED, "x"))
    assert placed.order.crossmint_order_id == "x"
    pay(store, "x")
    assert paid_twice(conn) == []


def test_another_variant_is_another_product(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, item: CartItem
) -> None:
    """What differs in size is not paid twice."""
    cancelled_by_user(store, placed)
    other = factories.add_item(conn, item.user_id, product_id="B01", size="M")
    store.checkout(item.user_id, [factories.line(other, "y")])
    pay(store, "x", "y")
    assert paid_twice(conn) == []


def test_what_was_bought_after_the_late_payment_is_another_one(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, item: CartItem
) -> None:
    """Money that came late before anything else was bought paid for one thing only."""
    cancelled_by_user(store, placed)
    pay(store, "x")
    again = factories.add_item(conn, item.user_id, product_id="B01")
    store.checkout(item.user_id, [factories.line(again, "y")])
    pay(store, "y")
    assert paid_twice(conn) == []


def test_two_orders_that_never_held_their_item(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, item: CartItem
) -> None:
    """Two adopted orders of one item, which left it in the cart, are listed if paid."""
    other = uuid4()
    conn.execute("UPDATE orders SET checkout_id = NULL")
    conn.execute("UPDATE cart_items SET deleted_at = NULL")
    conn.execute(
        "INSERT INTO orders (id, user_id, type, crossmint_order_id)"
        " VALUES (%s, %s, 'checkout', 'y')",
        [other, item.user_id],
    )
    conn.execute(
        "INSERT INTO order_items (order_id, cart_item_id, product_id, product_name,"
        " price) VALUES (%s, %s, 'B01', 'Squared notebook', 1)",
        [other, item.id],
    )
    pay(store, "y")
    assert factories.cart_of(conn, item.user_id) == []
    assert paid_twice(conn) == []
    pay(store, "x")
    assert paid_twice(conn) == [(placed.order.id, [other])]


def test_the_list_of_all_users_is_read_by_pages(
    store: Store, conn: psycopg.Connection
) -> None:
    """A worker that goes on after the last row sees each order once."""
    expected: list[UUID] = []
    for number in range(3):
        item = factories.add_item(conn, factories.add_user(conn))
        [first] = store.checkout(item.user_id, [factories.line(item, f"a{number}")])
        cancelled_by_user(store, first)
        store.checkout(item.user_id, [factories.line(item, f"b{number}")])
        pay(store, f"a{number}", f"b{number}")
        expected.append(first.order.id)
    seen: list[UUID] = []
    last = None
    while rows := order_steps.list_items_paid_twice(
        conn,
        user_id=None,
        after_created_at=last.created_at if last else None,
        after_id=last.id if last else None,
        max_rows=2,
    ):
        seen += [row.order.id for row in rows]
        last = rows[-1].order
    assert seen == expected


# Too little, too much


@pytest.mark.parametrize(
    ("amounts", "differs"),
    [
        (("69.99", "69.99"), False),
        (("69.99", "69.990000"), False),
        (("69.99", "65"), True),
        (("69.99", "70"), True),
        (("69.99", "0"), True),
        ((None, "65"), True),  # 1 was quoted at checkout
        ((None, "1"), False),
        (("69.99", None), False),
    ],
)
def test_a_payment_that_differs_is_listed(
    store: Store,
    conn: psycopg.Connection,
    placed: PlacedOrder,
    amounts: tuple[str | None, str | None],
    differs: bool,
) -> None:
    """Quoted and received amounts stand beside each other; who differs is listed."""
    quoted, received = amounts
    order = crossmint.order("x", quoted=quoted, received=received)
    event = crossmint.event(PAYMENT_SUCCEEDED, order)
    store.receive_order_event(*crossmint.delivery("evt", event))
    stored = orders.get_order(conn, id=placed.order.id, user_id=placed.order.user_id)
    assert stored is not None
    assert stored.quoted_usdc == Decimal(quoted or 1)
    assert stored.received_usdc == (None if received is None else Decimal(received))
    rows = order_steps.list_payments_that_differ(
        conn, after_created_at=None, after_id=None, max_rows=9
    )
    assert [row.id for row in rows] == [placed.order.id] * differs


# For no order


def test_payments_whose_order_is_not_here(
    store: Store, conn: psycopg.Connection, user_id: UUID, item: CartItem
) -> None:
    """They are listed from some time on, until their order comes; others never."""

    def without_order(older_than: timedelta = NO_TIME) -> list[str]:
        rows = order_steps.list_payments_without_order(
            conn,
            older_than=older_than,
            after_received_at=None,
            after_id=None,
            max_rows=9,
        )
        assert not any(row.is_retired for row in rows)
        return [row.id for row in rows]

    pay_event = crossmint.event(PAYMENT_SUCCEEDED, crossmint.order("x"))
    store.receive_order_event(*crossmint.delivery("evt-1", pay_event))
    nameless = {"type": PAYMENT_SUCCEEDED, "data": None}
    store.receive_order_event(*crossmint.delivery("evt-2", nameless))
    store.record_order_event(factories.event(PAYMENT_FAILED, "x"))
    assert without_order() == ["evt-1", "evt-2"]
    assert without_order(timedelta(hours=1)) == []
    store.checkout(user_id, [factories.line(item, "x")])
    assert without_order() == ["evt-2"]


def test_a_payment_for_a_deleted_user_is_told_apart(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder
) -> None:
    """Money that came for an order that went with its user is listed as such."""
    cancelled_by_user(store, placed)
    store.delete_user(placed.order.user_id)
    pay(store, "x")
    [row] = order_steps.list_payments_without_order(
        conn, older_than=NO_TIME, after_received_at=None, after_id=None, max_rows=9
    )
    assert (row.crossmint_order_id, row.is_retired) == ("x", True)
