"""What is attached to a checkout after it was placed: Crossmint's order, the digest."""

from decimal import Decimal
from uuid import UUID, uuid4

import psycopg
import pytest

from generated import carts, deposits, orders
from generated.enums import OrderStatus
from generated.internal import order_steps
from store import PlacedOrder, Store, errors
from store_testing import factories
from store_testing.factories import PAYMENT_FAILED, PAYMENT_SUCCEEDED

DIGEST = "7" * 44


@pytest.fixture
def user_id(conn: psycopg.Connection) -> UUID:
    """Give a user."""
    return factories.add_user(conn)


@pytest.fixture
def placed(store: Store, conn: psycopg.Connection, user_id: UUID) -> PlacedOrder:
    """Give an order that Crossmint does not know yet."""
    item = factories.add_item(conn, user_id)
    [placed] = store.checkout(user_id, [factories.line(item)])
    return placed


def test_events_find_an_order_that_was_attached(
    store: Store, user_id: UUID, placed: PlacedOrder
) -> None:
    """An event after the attachment moves the order, and the amount given is kept."""
    store.attach_crossmint_order(
        user_id, placed.order.id, "x", amount_usdc=Decimal("14.9")
    )
    store.record_order_event(factories.event(PAYMENT_SUCCEEDED, "x"))
    again = store.attach_crossmint_order(user_id, placed.order.id, "x")
    assert again.status == OrderStatus.PAYMENT_CONFIRMED
    assert again.amount_usdc == Decimal("14.9")


def test_events_before_the_attachment_count(
    store: Store, conn: psycopg.Connection, user_id: UUID, placed: PlacedOrder
) -> None:
    """An order whose payment has failed already is cancelled, and its item is back."""
    store.record_order_event(factories.event(PAYMENT_FAILED, "x"))
    order = store.attach_crossmint_order(user_id, placed.order.id, "x")
    assert order.status == OrderStatus.CANCELLED
    [item] = carts.list_cart_items(conn, user_id=user_id, max_rows=9)
    assert item.id == placed.item.cart_item_id


def test_an_order_is_attached_once(
    store: Store, user_id: UUID, placed: PlacedOrder
) -> None:
    """A second Crossmint order is refused, and the first stays."""
    store.attach_crossmint_order(user_id, placed.order.id, "x")
    with pytest.raises(errors.AlreadyExists):
        store.attach_crossmint_order(user_id, placed.order.id, "y")
    again = store.attach_crossmint_order(user_id, placed.order.id, "x")
    assert again.crossmint_order_id == "x"


def test_a_checkout_is_repeated_though_something_was_attached(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """The same lines give the first orders, as they are by now, and write nothing."""
    named, unnamed = (factories.add_item(conn, user_id) for _ in range(2))
    lines = [factories.line(unnamed), factories.line(named, "x")]
    first = store.checkout(user_id, lines)
    store.attach_crossmint_order(user_id, first[0].order.id, "y")
    for again in (lines, [factories.line(unnamed, "y"), lines[1]]):
        placed = store.checkout(user_id, again)
        assert [each.order.id for each in placed] == [each.order.id for each in first]
        assert placed[0].order.crossmint_order_id == "y"
        assert [each.item for each in placed] == [each.item for each in first]
    other = [factories.line(unnamed, "z"), lines[1]]
    with pytest.raises(errors.AlreadyExists):
        store.checkout(user_id, other)
    assert len(factories.orders_of(conn, user_id)) == 2


def test_a_crossmint_order_is_attached_to_one_order(
    store: Store, conn: psycopg.Connection, user_id: UUID, placed: PlacedOrder
) -> None:
    """A Crossmint order that another order has is refused."""
    item = factories.add_item(conn, user_id)
    store.checkout(user_id, [factories.line(item, "x")])
    with pytest.raises(errors.AlreadyExists) as raised:
        store.attach_crossmint_order(user_id, placed.order.id, "x")
    assert raised.value.constraint == "orders_crossmint_order_id_key"


@pytest.mark.parametrize("whose", ["nobody's", "another user's"])
def test_a_strange_order_is_not_found(
    store: Store,
    conn: psycopg.Connection,
    placed: PlacedOrder,
    user_id: UUID,
    whose: str,
) -> None:
    """An order that is not the user's is not found, and stays as it is."""
    if whose == "nobody's":
        with pytest.raises(errors.OrderNotFound):
            store.attach_crossmint_order(user_id, uuid4(), "x")
    else:
        stranger = factories.add_user(conn)
        with pytest.raises(errors.OrderNotFound):
            store.attach_crossmint_order(stranger, placed.order.id, "x")
    order = orders.get_order(conn, id=placed.order.id, user_id=user_id)
    assert order == placed.order


def test_a_digest_is_recorded_once(
    conn: psycopg.Connection, user_id: UUID, placed: PlacedOrder
) -> None:
    """The same digest again finds the order; another one changes nothing."""
    for digest, found in [(DIGEST, True), (DIGEST, True), ("8" * 44, False)]:
        order = order_steps.attach_transaction(
            conn, id=placed.order.id, user_id=user_id, tx_hash=digest
        )
        assert (order is not None) == found
    order = orders.get_order(conn, id=placed.order.id, user_id=user_id)
    assert order is not None
    assert order.tx_hash == DIGEST


def test_a_deposit_is_no_checkout(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A deposit is not cancelled by its user, and gets no Crossmint order or digest."""
    deposit = deposits.claim_deposit(conn, user_id=user_id, tx_hash=DIGEST)
    assert deposit is not None
    with pytest.raises(errors.OrderNotCancellable):
        store.cancel_order(user_id, deposit.id)
    with pytest.raises(errors.AlreadyExists):
        store.attach_crossmint_order(user_id, deposit.id, "x")
    attached = order_steps.attach_transaction(
        conn, id=deposit.id, user_id=user_id, tx_hash=DIGEST
    )
    assert attached is None
    assert orders.get_order(conn, id=deposit.id, user_id=user_id) == deposit


def test_a_checkout_s_transaction_is_no_deposit(
    conn: psycopg.Connection, user_id: UUID, placed: PlacedOrder
) -> None:
    """What paid for a checkout cannot be claimed, not even by the one who paid."""
    order_steps.attach_transaction(
        conn, id=placed.order.id, user_id=user_id, tx_hash=DIGEST
    )
    for claimant in (user_id, factories.add_user(conn)):
        claimed = deposits.claim_deposit(conn, user_id=claimant, tx_hash=DIGEST)
        assert claimed is None
    assert conn.execute("SELECT type FROM orders").fetchall() == [("checkout",)]
