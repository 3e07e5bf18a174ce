"""Checkouts whose buyer walked away are given up, and nothing else is."""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest

from generated import deposits, orders
from generated.enums import OrderStatus
from generated.internal import user_steps
from generated.models import CartItem, Order
from store import GivenUpOrder, PlacedOrder, Product, Store, errors
from store_testing import factories
from store_testing.factories import PAYMENT_SUCCEEDED
from tests.support import gates, races, stores
from tests.support.gates import Gate
from tests.support.races import race
from tests.support.tables import Tables

NO_TIME = timedelta(0)
OBJECT = "0x" + "0b" * 32
DIGEST = "7" * 44


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


def order_of(conn: psycopg.Connection, placed: PlacedOrder) -> Order:
    """Read the order as it is now."""
    order = orders.get_order(conn, id=placed.order.id, user_id=placed.order.user_id)
    assert order is not None
    return order


def test_a_checkout_is_given_up(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, item: CartItem
) -> None:
    """It is cancelled by an event of its own kind, and its item returns to the cart."""
    [given_up] = store.give_up_checkouts(NO_TIME)
    assert given_up == GivenUpOrder(order_of(conn, placed), item_in_cart=True)
    assert given_up.order.status == OrderStatus.CANCELLED
    [again] = factories.cart_of(conn, item.user_id)
    assert again.id == item.id
    kept = conn.execute("SELECT id, type, order_id, status_after FROM order_events")
    event_id = f"store.given_up:{placed.order.id}"
    assert kept.fetchall() == [
        (event_id, "store.given_up", placed.order.id, "cancelled")
    ]
    assert store.give_up_checkouts(NO_TIME) == []


@pytest.mark.usefixtures("placed")
def test_a_checkout_has_its_time(store: Store, conn: psycopg.Connection) -> None:
    """One that is younger than the time given is left alone."""
    before = Tables(conn).read()
    assert store.give_up_checkouts(timedelta(minutes=1)) == []
    assert Tables(conn).read() == before
    conn.execute("UPDATE orders SET created_at = now() - interval '61 seconds'")
    assert len(store.give_up_checkouts(timedelta(minutes=1))) == 1


@pytest.mark.parametrize("type_", [PAYMENT_SUCCEEDED, "orders.delivery.initiated"])
def test_money_that_comes_later_wins(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, type_: str
) -> None:
    """A payment after it was given up confirms the order, and takes the item again."""
    store.give_up_checkouts(NO_TIME)
    received = store.record_order_event(factories.event(type_, "x"))
    assert received.status_before == OrderStatus.CANCELLED
    assert order_of(conn, placed).status not in {"cancelled", "awaiting_approval"}
    assert factories.cart_of(conn, placed.order.user_id) == []


LEFT_ALONE: dict[str, LiteralString] = {
    "paid": "UPDATE orders SET status = 'payment_confirmed'",
    "cancelled": "UPDATE orders SET status = 'cancelled'",
    "has a digest": "UPDATE orders SET tx_hash = %(digest)s",
    "has no snapshot": "DELETE FROM order_items",
    "a deposit": "UPDATE orders SET type = 'deposit', checkout_id = NULL,"
    " tx_hash = %(digest)s",
}


@pytest.mark.parametrize("why", LEFT_ALONE)
@pytest.mark.usefixtures("placed")
def test_others_are_left_alone(
    store: Store, conn: psycopg.Connection, why: str
) -> None:
    """What is paid, cancelled, checked out on chain, or of unknown things, stays."""
    conn.execute(LEFT_ALONE[why], {"digest": DIGEST})
    before = Tables(conn).read()
    assert store.give_up_checkouts(NO_TIME) == []
    assert Tables(conn).read() == before


def check_out_on_chain(conn: psycopg.Connection, type_: str) -> None:
    """Let the chain say something of the one item that was ordered."""
    conn.execute("UPDATE order_items SET on_chain_object_id = %s", [OBJECT])
    conn.execute(
        "INSERT INTO chain_events (tx_digest, type, object_id, wallet_address,"
        " occurred_at, event_sequence) VALUES (%s, %s, %s, %s, now(), 0)",
        [DIGEST, type_, OBJECT, OBJECT],
    )


@pytest.mark.parametrize(("type_", "count"), [("checked_out", 0), ("removed", 1)])
@pytest.mark.usefixtures("placed")
def test_what_the_chain_has_seen_is_left_alone(
    store: Store, conn: psycopg.Connection, type_: str, count: int
) -> None:
    """An item whose OrderCreated is stored was bought, whoever has not said so yet."""
    check_out_on_chain(conn, type_)
    assert len(store.give_up_checkouts(NO_TIME)) == count


def test_deposits_are_never_given_up(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A deposit that waits for the chain waits on."""
    deposits.claim_deposit(conn, user_id=user_id, tx_hash=DIGEST)
    assert store.give_up_checkouts(NO_TIME) == []


def test_a_full_cart_takes_items_back(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, item: CartItem
) -> None:
    """However many items are in the cart by then, the item returns."""
    for _ in range(25):
        factories.add_item(conn, item.user_id)
    [given_up] = store.give_up_checkouts(NO_TIME)
    assert given_up.item_in_cart
    assert placed.item.cart_item_id in {
        row.id for row in factories.cart_of(conn, item.user_id)
    }


def test_an_item_whose_place_is_taken_stays_gone(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, item: CartItem
) -> None:
    """Where the variant was added meanwhile, the order is given up all the same."""
    again = factories.add_item(conn, item.user_id, product_id="B01")
    [given_up] = store.give_up_checkouts(NO_TIME)
    assert given_up.order.id == placed.order.id
    assert not given_up.item_in_cart
    assert [row.id for row in factories.cart_of(conn, item.user_id)] == [again.id]


def test_an_adopted_order_with_its_snapshot_is_given_up(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, item: CartItem
) -> None:
    """One that left its item in the cart is cancelled, and the item stays in it."""
    conn.execute("UPDATE orders SET checkout_id = NULL")
    conn.execute("UPDATE cart_items SET deleted_at = NULL")
    [given_up] = store.give_up_checkouts(NO_TIME)
    assert (given_up.order.id, given_up.item_in_cart) == (placed.order.id, True)
    assert [row.id for row in factories.cart_of(conn, item.user_id)] == [item.id]


def many(store: Store, conn: psycopg.Connection, count: int) -> list[UUID]:
    """Place as many orders, of several users, every second one named by Crossmint."""
    placed: list[PlacedOrder] = []
    users = [factories.add_user(conn) for _ in range(count // 7 + 1)]
    for number in range(count):
        user_id = users[number // 7]
        name = f"x-{uuid4()}" if number % 2 else None
        item = factories.add_item(conn, user_id)
        placed += store.checkout(user_id, [factories.line(item, name)])
    return [each.order.id for each in placed]


def test_all_are_given_up_the_oldest_first(
    store: Store, conn: psycopg.Connection
) -> None:
    """More than one transaction's worth is given up, as many as are asked for."""
    ids = many(store, conn, 120)
    conn.execute("DELETE FROM order_items WHERE order_id = ANY(%s)", [ids[:60]])
    first = store.give_up_checkouts(NO_TIME, max_orders=7)
    assert [each.order.id for each in first] == ids[60:67]
    others = store.give_up_checkouts(NO_TIME)
    assert [each.order.id for each in others] == ids[67:]
    assert all(each.item_in_cart for each in others)


# Two at once


def test_two_workers_share_the_work(
    store: Store, conn: psycopg.Connection, database_url: str
) -> None:
    """T1 and T2 give up at once: each order is given up by one of them."""
    ids = many(store, conn, 40)
    with gates.shut(database_url) as gate:
        one, other = race(
            gate,
            lambda: store.give_up_checkouts(NO_TIME),
            lambda: store.give_up_checkouts(NO_TIME),
        )
    given_up = [each.order.id for each in [*one.result(), *other.result()]]
    assert sorted(given_up) == sorted(ids)
    events = conn.execute("SELECT count(*) FROM order_events")
    assert events.fetchone() == (40,)


def test_a_payment_before_it_is_given_up(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, gate: Gate
) -> None:
    """T1: the payment arrives; T2: gives up. The order is paid, and nothing returns."""
    one, other = race(
        gate,
        lambda: store.record_order_event(factories.event(PAYMENT_SUCCEEDED, "x")),
        lambda: store.give_up_checkouts(NO_TIME),
    )
    assert one.result().brings(OrderStatus.PAYMENT_CONFIRMED)
    assert other.result() == []
    assert order_of(conn, placed).status == OrderStatus.PAYMENT_CONFIRMED
    assert factories.cart_of(conn, placed.order.user_id) == []
    assert conn.execute("SELECT count(*) FROM order_events").fetchone() == (1,)


def test_a_payment_after_it_is_given_up(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, gate: Gate
) -> None:
    """T1: gives up; T2: the payment arrives. The money wins, and takes the item."""
    one, other = race(
        gate,
        lambda: store.give_up_checkouts(NO_TIME),
        lambda: store.record_order_event(factories.event(PAYMENT_SUCCEEDED, "x")),
    )
    assert [each.order.status for each in one.result()] == [OrderStatus.CANCELLED]
    assert other.result().status_before == OrderStatus.CANCELLED
    assert order_of(conn, placed).status == OrderStatus.PAYMENT_CONFIRMED
    assert factories.cart_of(conn, placed.order.user_id) == []


def test_an_order_created_before_it_is_given_up(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, database_url: str
) -> None:
    """T1: the chain's OrderCreated; T2: gives up, and leaves the order alone."""
    with psycopg.connect(database_url) as mirror, ThreadPoolExecutor(1) as threads:
        user_steps.lock_user(mirror, id=placed.order.user_id)
        check_out_on_chain(mirror, "checked_out")
        giving_up = threads.submit(store.give_up_checkouts, NO_TIME)
        gates.wait_until_waiting(conn, 1, behind=mirror.info.backend_pid)
        mirror.commit()
        assert giving_up.result() == []
    assert order_of(conn, placed).status == OrderStatus.AWAITING_APPROVAL


def test_a_cancellation_before_it_is_given_up(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, gate: Gate
) -> None:
    """T1: the user cancels; T2: gives up. There is nothing to give up any more."""
    one, other = race(
        gate,
        lambda: store.cancel_order(placed.order.user_id, placed.order.id),
        lambda: store.give_up_checkouts(NO_TIME),
    )
    assert one.result().status == OrderStatus.CANCELLED
    assert other.result() == []
    assert [row.id for row in factories.cart_of(conn, placed.order.user_id)] == [
        placed.item.cart_item_id
    ]


def test_an_attachment_of_a_paid_order_before_it_is_given_up(
    store: Store,
    conn: psycopg.Connection,
    user_id: UUID,
    item: CartItem,
    database_url: str,
) -> None:
    """T1: names an order that was paid before; T2: gives up. The order is paid."""
    [placed] = store.checkout(user_id, [factories.line(item)])
    store.record_order_event(factories.event(PAYMENT_SUCCEEDED, "x"))
    with gates.shut(database_url) as gate:
        one, other = race(
            gate,
            lambda: store.attach_crossmint_order(user_id, placed.order.id, "x"),
            lambda: store.give_up_checkouts(NO_TIME),
        )
    assert one.result().status == OrderStatus.PAYMENT_CONFIRMED
    assert other.result() == []
    assert factories.cart_of(conn, user_id) == []


def test_an_add_before_it_is_given_up(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, gate: Gate
) -> None:
    """T1: adds the variant; T2: gives up. The cart holds the variant once."""

    def add() -> CartItem:
        product = Product(product_id="B01", product_name="Notebook", price=1)
        return store.add_cart_item(placed.order.user_id, product).item

    one, other = race(gate, add, lambda: store.give_up_checkouts(NO_TIME))
    assert [each.item_in_cart for each in other.result()] == [False]
    assert [row.id for row in factories.cart_of(conn, placed.order.user_id)] == [
        one.result().id
    ]


def test_a_deletion_after_it_is_given_up(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, gate: Gate
) -> None:
    """T1: gives up; T2: deletes the user, whose only order is closed by then."""
    one, other = race(
        gate,
        lambda: store.give_up_checkouts(NO_TIME),
        lambda: store.delete_user(placed.order.user_id),
    )
    assert len(one.result()) == 1
    try:
        other.result()
    except errors.UserHasOpenOrders:
        pytest.fail("the deletion did not see what it had waited for")
    assert conn.execute("SELECT count(*) FROM order_events").fetchone() == (0,)
