"""From Crossmint's id to the chain: what its worker reads, and the digest it notes."""

import re
from collections.abc import Generator
from dataclasses import replace
from uuid import UUID

import psycopg
import pytest

from generated import deposits, orders
from generated.internal import order_steps
from generated.models import CartItem, Order
from store import CheckoutLine, PlacedOrder, Store, errors
from store_testing import factories
from store_testing.factories import PAYMENT_FAILED, PAYMENT_SUCCEEDED
from tests.support import gates
from tests.support.gates import Gate
from tests.support.races import race

ADDRESS = "0x" + "a1" * 32
DIGEST = "44PMwfFs4tfN4ujLy5xwpiGxQfa9abP5HFYtub8vgHXn"
OTHER = "Aa1" + DIGEST[3:]


def on_chain_item(conn: psycopg.Connection, user_id: UUID, number: int) -> UUID:
    """Put an item into a cart as the mirror does."""
    [(item_id,)] = conn.execute(
        "INSERT INTO cart_items (user_id, product_id, product_name, price,"
        " on_chain_object_id) VALUES (%s, %s, 'On chain', 1, %s) RETURNING id",
        [user_id, f"chain-{number}", f"0x{number:064x}"],
    )
    assert isinstance(item_id, UUID)
    return item_id


def bought(
    store: Store, conn: psycopg.Connection, user_id: UUID, number: int
) -> PlacedOrder:
    """Check out an item that is on chain."""
    item_id = on_chain_item(conn, user_id, number)
    line = CheckoutLine(cart_item_id=item_id, crossmint_order_id=f"chain-{number}")
    [placed] = store.checkout(user_id, [line])
    return placed


# One read


def test_one_read_gives_all_that_the_worker_needs(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Order, snapshot and wallet come by one id; of the key, whether there is one."""
    placed = bought(store, conn, user_id, 1)
    row = orders.get_order_by_crossmint_order(conn, crossmint_order_id="chain-1")
    assert row is not None
    assert (row.order, row.order_item) == (placed.order, placed.item)
    assert (row.wallet_address, row.has_sui_private_key) == (None, False)
    token = "v1.key.zqx8zqx"  # noqa: S105 - what is looked for
    conn.execute(
        "UPDATE users SET wallet_address = %s, sui_private_key_encrypted = %s",
        [ADDRESS, token],
    )
    row = orders.get_order_by_crossmint_order(conn, crossmint_order_id="chain-1")
    assert row is not None
    assert (row.wallet_address, row.has_sui_private_key) == (ADDRESS, True)
    assert token not in repr(row)


def test_what_is_not_here_is_not_read(
    conn: psycopg.Connection, placed: PlacedOrder
) -> None:
    """An unknown Crossmint id gives nothing, and so does a deposit's."""
    assert placed.order.crossmint_order_id == "x"
    assert orders.get_order_by_crossmint_order(conn, crossmint_order_id="y") is None
    conn.execute(
        "UPDATE orders SET type = 'deposit', checkout_id = NULL, tx_hash = %s", [DIGEST]
    )
    assert orders.get_order_by_crossmint_order(conn, crossmint_order_id="x") is None


def test_an_order_without_snapshot_is_read(
    conn: psycopg.Connection, placed: PlacedOrder
) -> None:
    """An adopted order that the old indexer made has no snapshot, and is read."""
    conn.execute("DELETE FROM order_items")
    row = orders.get_order_by_crossmint_order(conn, crossmint_order_id="x")
    assert row is not None
    assert (row.order, row.order_item) == (placed.order, None)


# The digest


def test_a_digest_is_recorded_once(store: Store, placed: PlacedOrder) -> None:
    """The same digest again gives the order as it is; another one is refused."""
    first = store.attach_transaction("x", DIGEST)
    assert first == replace(placed.order, tx_hash=DIGEST)
    assert store.attach_transaction("x", DIGEST) == first
    with pytest.raises(errors.AlreadyExists) as refused:
        store.attach_transaction("x", OTHER)
    assert refused.value.constraint == "orders_tx_hash_key"
    assert not re.search(f"{OTHER}|{DIGEST}", str(refused.value))
    assert store.attach_transaction("x", DIGEST) == first


def test_a_digest_is_one_order_s(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder, user_id: UUID
) -> None:
    """A digest that another order has, or a deposit, is refused."""
    item = factories.add_item(conn, user_id)
    store.checkout(user_id, [factories.line(item, "y")])
    store.attach_transaction("x", DIGEST)
    deposits.claim_deposit(conn, user_id=user_id, tx_hash=OTHER)
    for digest in (DIGEST, OTHER):
        with pytest.raises(errors.AlreadyExists):
            store.attach_transaction("y", digest)
    assert placed.order.crossmint_order_id == "x"


def test_a_deleted_user_s_digest_is_used_up(
    store: Store, conn: psycopg.Connection, placed: PlacedOrder
) -> None:
    """A digest that went with a deleted user's order is nobody else's."""
    store.attach_transaction("x", DIGEST)
    store.cancel_order(placed.order.user_id, placed.order.id)
    other = factories.add_user(conn)
    store.checkout(other, [factories.line(factories.add_item(conn, other), "y")])
    store.delete_user(placed.order.user_id)
    with pytest.raises(errors.AlreadyExists):
        store.attach_transaction("y", DIGEST)


def test_a_digest_of_an_unknown_order(store: Store, placed: PlacedOrder) -> None:
    """There has to be a checkout of this Crossmint id."""
    assert placed.order.crossmint_order_id == "x"
    with pytest.raises(errors.OrderNotFound) as refused:
        store.attach_transaction("y", DIGEST)
    assert refused.value.crossmint_order_id == "y"
    assert refused.value.order_id is None


def test_a_digest_is_base58(store: Store, placed: PlacedOrder) -> None:
    """What is no Sui digest is refused before the database is asked."""
    assert placed.order.crossmint_order_id == "x"
    for text in ("", "0x" + "1" * 64, DIGEST.lower(), DIGEST + "1"):
        with pytest.raises(errors.InvalidValue):
            store.attach_transaction("x", text)


@pytest.fixture
def gate(database_url: str) -> Generator[Gate]:
    """Give a shut gate; ask for it after the fixtures that write."""
    with gates.shut(database_url) as shut:
        yield shut


@pytest.mark.usefixtures("placed")
def test_two_digests_at_once(store: Store, gate: Gate) -> None:
    """T1: records a digest; T2: another one. T2 is refused."""
    one, other = race(
        gate,
        lambda: store.attach_transaction("x", DIGEST),
        lambda: store.attach_transaction("x", OTHER),
    )
    assert one.result().tx_hash == DIGEST
    with pytest.raises(errors.AlreadyExists):
        other.result()


@pytest.mark.usefixtures("placed")
def test_one_digest_twice_at_once(store: Store, gate: Gate) -> None:
    """T1: records a digest; T2: the same one. Both are given the order."""
    one, other = race(
        gate,
        lambda: store.attach_transaction("x", DIGEST),
        lambda: store.attach_transaction("x", DIGEST),
    )
    assert one.result() == other.result()


@pytest.fixture
def another(store: Store, conn: psycopg.Connection, user_id: UUID) -> Order:
    """Give another order, which Crossmint knows as `y`."""
    item: CartItem = factories.add_item(conn, user_id)
    [placed] = store.checkout(user_id, [factories.line(item, "y")])
    return placed.order


@pytest.mark.usefixtures("placed", "another")
def test_one_digest_for_two_orders_at_once(store: Store, gate: Gate) -> None:
    """T1: records a digest; T2: the same for another order. T2 is refused."""
    one, other = race(
        gate,
        lambda: store.attach_transaction("x", DIGEST),
        lambda: store.attach_transaction("y", DIGEST),
    )
    assert one.result().crossmint_order_id == "x"
    with pytest.raises(errors.AlreadyExists):
        other.result()


# The worker's list


def without_digest(conn: psycopg.Connection) -> list[UUID]:
    """Read which paid orders are to be checked out on chain, page by page."""
    seen: list[UUID] = []
    last = None
    while rows := order_steps.list_orders_without_digest(
        conn,
        after_created_at=last.created_at if last else None,
        after_id=last.id if last else None,
        max_rows=2,
    ):
        seen += [row.order.id for row in rows]
        last = rows[-1].order
    return seen


def test_paid_orders_on_chain_without_digest_are_listed(
    store: Store, conn: psycopg.Connection, user_id: UUID, placed: PlacedOrder
) -> None:
    """Exactly the paid ones that were not checked out on chain come, in their order."""
    placed_ones = [bought(store, conn, user_id, number) for number in range(7)]
    ids = [each.order.id for each in placed_ones]
    assert all(each.order.on_chain for each in placed_ones)
    assert not placed.order.on_chain
    assert without_digest(conn) == []
    for name in ("x", *(f"chain-{number}" for number in range(6))):
        store.record_order_event(factories.event(PAYMENT_SUCCEEDED, name))
    assert without_digest(conn) == ids[:6]
    store.record_order_event(factories.event("orders.delivery.completed", "chain-1"))
    store.record_order_event(factories.event("orders.delivery.failed", "chain-2"))
    store.record_order_event(factories.event(PAYMENT_FAILED, "chain-3"))
    store.attach_transaction("chain-4", DIGEST)
    assert without_digest(conn) == [ids[0], ids[1], ids[3], ids[5]]


def test_a_listed_order_comes_as_if_it_were_read(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """What the list gives of an order is what the one read gives."""
    bought(store, conn, user_id, 1)
    store.record_order_event(factories.event(PAYMENT_SUCCEEDED, "chain-1"))
    conn.execute("UPDATE users SET wallet_address = %s", [ADDRESS])
    [listed] = order_steps.list_orders_without_digest(
        conn, after_created_at=None, after_id=None, max_rows=9
    )
    read = orders.get_order_by_crossmint_order(conn, crossmint_order_id="chain-1")
    assert read is not None
    assert (listed.order, listed.order_item) == (read.order, read.order_item)
    assert (listed.wallet_address, listed.has_sui_private_key) == (ADDRESS, False)
    assert read.wallet_address == ADDRESS


def test_what_a_checkout_returns_is_on_chain_as_it_is_stored(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Some items of a checkout may be on chain: each order says so, as it is stored."""
    lines = [
        CheckoutLine(cart_item_id=on_chain_item(conn, user_id, 1)),
        factories.line(factories.add_item(conn, user_id)),
    ]
    placed = store.checkout(user_id, lines)
    assert [each.order.on_chain for each in placed] == [True, False]
    for each in placed:
        stored = orders.get_order(conn, id=each.order.id, user_id=user_id)
        assert stored == each.order
