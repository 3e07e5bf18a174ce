"""Events of orders: what was bought on chain becomes an order here."""

from decimal import Decimal
from uuid import UUID

import psycopg

from generated.enums import OrderStatus, OrderType
from store import Store
from store_testing import chains, factories
from store_testing.chains import item_id, page
from tests.integration.mirror.events import (
    LARGER,
    SMALLER,
    SOLD_AT,
    SPARE,
    WALLETS,
    add_owner,
    event,
    items,
    orders_of,
    reasons,
    record,
    states,
)


def test_an_order_made_on_chain(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """OrderCreated takes the item out and makes its order, if none has the id."""
    record(onchain, SMALLER)
    [item] = items(conn, user_id)
    sold = event("sold", 1, size="M", image="https://x/y.png")
    record(onchain, sold)
    [placed] = factories.orders_of(conn, user_id)
    order, snapshot = placed.order, placed.item
    assert (order.type, order.status) == (
        OrderType.CHECKOUT,
        OrderStatus.AWAITING_APPROVAL,
    )
    assert (order.crossmint_order_id, order.checkout_id) == ("crossmint-1", None)
    assert (order.tx_hash, order.amount_usdc) == (chains.digest(1, 2), Decimal("14.9"))
    assert order.created_at == SOLD_AT
    assert (snapshot.cart_item_id, snapshot.on_chain_object_id) == (item.id, item_id(1))
    assert (snapshot.product_name, snapshot.price) == ("Notebook", 1490)
    assert (snapshot.size, snapshot.image) == ("M", "https://x/y.png")
    assert snapshot.color is None
    assert states(conn) == {1: SOLD_AT}
    before = factories.orders_of(conn, user_id)
    onchain.replay_chain_page(page([sold, SMALLER]))
    assert factories.orders_of(conn, user_id) == before


def test_an_order_on_chain_starts_as_its_events_say(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Crossmint's events that came first decide its status; the chain's never do."""
    onchain.record_order_event(
        factories.event(factories.PAYMENT_SUCCEEDED, "crossmint-1")
    )
    record(onchain, SMALLER, event("sold", 1))
    [order] = orders_of(conn, user_id)
    assert order.status == OrderStatus.PAYMENT_CONFIRMED
    onchain.record_order_event(
        factories.event("orders.delivery.completed", "crossmint-1")
    )
    onchain.replay_chain_page(page([event("sold", 1)]))
    [order] = orders_of(conn, user_id)
    assert order.status == OrderStatus.DELIVERED


def test_a_free_item_has_no_amount(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A price of nothing makes an order without an amount."""
    record(onchain, event("sold", 1, price="0"))
    [order] = orders_of(conn, user_id)
    assert order.amount_usdc is None


def test_an_order_that_is_here_gets_its_digest_once(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """OrderCreated records its transaction on the order, and nothing else."""
    record(onchain, SMALLER)
    [item] = items(conn, user_id)
    [placed] = onchain.checkout(user_id, [factories.line(item, "crossmint-1")])
    sold = event("sold", 1)
    assert record(onchain, sold).set_aside == 0
    [after] = factories.orders_of(conn, user_id)
    assert after.order.tx_hash == chains.digest(1, 2)
    assert after.order.status == placed.order.status
    assert after.item == placed.item
    assert states(conn) == {1: SOLD_AT}
    other = event("sold", 1, tx=chains.digest(77))
    assert record(onchain, other, sold).set_aside == 1
    assert reasons(conn) == ["its order has another transaction"]
    assert factories.orders_of(conn, user_id) == [after]


def test_an_order_of_somebody_else_is_left_alone(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """An OrderCreated that names it is set aside; its item has left the contract."""
    other = add_owner(conn, WALLETS[1])
    theirs = event("added", 9, WALLETS[1])
    record(onchain, theirs, SMALLER, LARGER)
    [item] = items(conn, other)
    placed = onchain.checkout(other, [factories.line(item, "crossmint-1")])
    assert record(onchain, event("sold", 1)).set_aside == 1
    assert reasons(conn) == ["its order is another user's"]
    assert factories.orders_of(conn, other) == placed
    assert orders_of(conn, user_id) == []
    assert [each.on_chain_object_id for each in items(conn, user_id)] == [item_id(2)]


def test_an_order_of_another_item_is_left_alone(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """An OrderCreated that names an item's order for another one is set aside."""
    record(onchain, SMALLER, SPARE)
    item = next(each for each in items(conn, user_id) if each.product_id == "B02")
    placed = onchain.checkout(user_id, [factories.line(item, "crossmint-1")])
    first, second = event("sold", 1), event("sold", 2, order_id="crossmint-2")
    third = event("sold", 4, order_id="crossmint-2")
    assert record(onchain, first, second, third).set_aside == 2
    assert reasons(conn) == ["its order is of another item"] * 2
    kept = factories.orders_of(conn, user_id)
    assert placed[0] in kept
    assert [each.item.on_chain_object_id for each in kept if each not in placed] == [
        item_id(2)
    ]


def test_an_order_without_snapshot_gets_its_digest_alone(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """What the replaced indexer made of an OrderCreated stays without its product."""
    conn.execute(
        "INSERT INTO orders (user_id, type, crossmint_order_id)"
        " VALUES (%s, 'checkout', 'crossmint-1')",
        [user_id],
    )
    assert record(onchain, event("sold", 1)).set_aside == 0
    assert conn.execute("SELECT tx_hash, amount_usdc FROM orders").fetchall() == [
        (chains.digest(1, 2), None)
    ]
    assert conn.execute("SELECT count(*) FROM order_items").fetchone() == (0,)


def test_two_orders_of_one_transaction(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A digest is one order's: the other is made without, and set aside to be seen."""
    both = [event("sold", n, tx=chains.digest(50), sequence=n) for n in (1, 2)]
    assert record(onchain, SMALLER, LARGER, *both).set_aside == 1
    assert reasons(conn) == ["its transaction is another order's"]
    hashes = {
        each.crossmint_order_id: each.tx_hash for each in orders_of(conn, user_id)
    }
    assert hashes == {"crossmint-1": chains.digest(50), "crossmint-2": None}
    assert items(conn, user_id) == []


def test_an_order_may_come_before_its_item(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """An item whose OrderCreated is here comes as ended, and is the order's."""
    record(onchain, event("sold", 1))
    [placed] = factories.orders_of(conn, user_id)
    assert placed.item.cart_item_id is None
    record(onchain, SMALLER)
    assert states(conn) == {1: SOLD_AT}
    [placed] = factories.orders_of(conn, user_id)
    [item] = conn.execute("SELECT id FROM cart_items")
    assert (placed.item.cart_item_id,) == item


def test_what_a_deleted_user_has_bought_does_not_come_back(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A wallet's events go with its last user; a retired order is not made again."""
    onchain.record_order_event(factories.event(factories.PAYMENT_FAILED, "crossmint-1"))
    bad = event("added", 9, product_name="")
    record(onchain, SMALLER, event("sold", 1), bad)
    heir = add_owner(conn, WALLETS[0])
    onchain.delete_user(user_id)
    assert conn.execute("SELECT count(*) FROM chain_events").fetchone() == (2,)
    assert onchain.replay_chain_page(page([SMALLER, event("sold", 1)])).set_aside == 0
    assert orders_of(conn, heir) == []
    onchain.delete_user(heir)
    for table in ("chain_events", "set_aside_chain_events", "orders", "cart_items"):
        assert conn.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608 - ours
    assert (
        onchain.replay_chain_page(page([SMALLER, event("sold", 1), bad])).skipped == 3
    )
