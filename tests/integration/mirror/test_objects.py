"""Objects on chain and the rows of a cart: which of them is in the cart."""

from uuid import UUID

import psycopg
import pytest

from generated import chain
from generated.enums import OrderStatus
from store import Store
from store_testing import chains, factories
from store_testing.chains import item_id
from tests.integration.mirror.events import (
    ADDED_AT,
    DELIVERY_FAILED,
    LARGER,
    REMOVED_AT,
    SMALLER,
    SOLD_AT,
    SPARE,
    WALLETS,
    add_owner,
    event,
    items,
    orders_of,
    record,
    states,
)
from tests.support import stores

# The states of an item's row


def test_the_smallest_live_object_is_in_the_cart(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A duplicate variant waits since it was added, until the smaller one ends."""
    record(onchain, LARGER)
    assert states(conn) == {2: None}
    record(onchain, SMALLER)
    assert states(conn) == {1: None, 2: ADDED_AT}
    record(onchain, event("added", 4), event("added", 3))
    record(onchain, event("sold", 1))
    waiting = {3: ADDED_AT, 4: ADDED_AT}
    assert states(conn) == {1: SOLD_AT, 2: None} | waiting
    record(onchain, event("removed", 1))
    assert states(conn) == {1: REMOVED_AT, 2: None} | waiting
    assert [item.price for item in items(conn, user_id)] == [1490]


def test_variants_do_not_displace_each_other(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Items that differ in size or colour alone are all in the cart."""
    variants: list[dict[str, str]] = [{}, {"size": "M"}, {"color": "red"}]
    variants += [{"size": "Default"}, {"color": "M"}]
    record(onchain, *(event("added", n, **each) for n, each in enumerate(variants)))
    assert set(states(conn).values()) == {None}
    assert len(items(conn, user_id)) == 5


def test_an_order_holds_its_object(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """It leaves the cart, and keeps its place before a duplicate, until cancelled."""
    record(onchain, SMALLER, LARGER)
    [item] = items(conn, user_id)
    [placed] = onchain.checkout(user_id, [factories.line(item, "x")])
    record(onchain, SMALLER, LARGER)
    assert states(conn) == {1: placed.order.created_at, 2: ADDED_AT}
    onchain.cancel_order(user_id, placed.order.id)
    assert states(conn) == {1: None, 2: ADDED_AT}


def test_a_held_object_gives_way_to_a_smaller_one(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """When its order is cancelled, it waits behind the one that came meanwhile."""
    record(onchain, LARGER)
    [item] = items(conn, user_id)
    [placed] = onchain.checkout(user_id, [factories.line(item, "x")])
    record(onchain, SMALLER)
    assert states(conn) == {1: None, 2: placed.order.created_at}
    onchain.cancel_order(user_id, placed.order.id)
    assert states(conn) == {1: None, 2: ADDED_AT}


@pytest.mark.parametrize("service", ["onchain", "db"])
@pytest.mark.parametrize(
    "types",
    [[factories.PAYMENT_FAILED], [factories.PAYMENT_SUCCEEDED, DELIVERY_FAILED]],
)
def test_what_was_sold_does_not_come_back_with_its_order(
    onchain: Store,
    conn: psycopg.Connection,
    database_url: str,
    user_id: UUID,
    *,
    service: str,
    types: list[str],
) -> None:
    """A cancelled order gives nothing back that its OrderCreated took out.

    Nor does it where carts are no longer on chain.
    """
    record(onchain, SMALLER)
    [item] = items(conn, user_id)
    onchain.checkout(user_id, [factories.line(item, "crossmint-1")])
    record(onchain, event("sold", 1))
    with stores.opened(database_url, cart_service=service) as store:
        statuses: list[OrderStatus | None] = []
        for type_ in types:
            received = store.record_order_event(factories.event(type_, "crossmint-1"))
            statuses.append(received.status_after)
            assert states(conn) == {1: SOLD_AT}
    assert statuses[-1] == OrderStatus.CANCELLED


def test_of_two_orders_the_first_holds(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """An object that two orders hold left the cart with the first."""
    record(onchain, SMALLER)
    [item] = items(conn, user_id)
    [first] = onchain.checkout(user_id, [factories.line(item, "x")])
    onchain.cancel_order(user_id, first.order.id)
    onchain.checkout(user_id, [factories.line(item, "y")])
    onchain.record_order_event(factories.event(factories.PAYMENT_SUCCEEDED, "x"))
    assert states(conn) == {1: first.order.created_at}


def test_an_order_that_was_adopted_holds_once_it_is_paid(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """An order that no checkout made leaves its item in the cart until the payment."""
    record(onchain, SMALLER)
    [item] = items(conn, user_id)
    [placed] = onchain.checkout(user_id, [factories.line(item, "x")])
    conn.execute("UPDATE orders SET checkout_id = NULL")
    record(onchain, SMALLER)
    assert states(conn) == {1: None}
    onchain.record_order_event(factories.event(factories.PAYMENT_SUCCEEDED, "x"))
    assert states(conn) == {1: placed.order.created_at}


def test_a_paid_order_holds_what_its_item_has_become(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """An item that went on chain after its order is the order's item as before."""
    item = factories.add_item(conn, user_id, product_id="B01")
    [placed] = onchain.checkout(user_id, [factories.line(item, "x")])
    onchain.record_order_event(factories.event(factories.PAYMENT_FAILED, "x"))
    record(onchain, SMALLER)
    assert [each.id for each in items(conn, user_id)] == [item.id]
    onchain.record_order_event(factories.event(factories.PAYMENT_SUCCEEDED, "x"))
    assert states(conn) == {1: placed.order.created_at}


# Whose they are


def test_of_two_users_with_one_wallet_the_eldest_is_meant(
    onchain: Store, conn: psycopg.Connection
) -> None:
    """New items are the first one's; what the other has already stays there."""
    elder, other = add_owner(conn, WALLETS[0]), add_owner(conn, WALLETS[0])
    theirs = factories.add_item(conn, other, product_id="B01")
    conn.execute("UPDATE cart_items SET on_chain_object_id = %s", [item_id(2)])
    record(onchain, SMALLER, LARGER)
    assert [item.on_chain_object_id for item in items(conn, elder)] == [item_id(1)]
    assert [item.id for item in items(conn, other)] == [theirs.id]
    record(onchain, event("sold", 2))
    assert items(conn, other) == []
    assert [order.user_id for order in orders_of(conn, other)] == [other]


def test_another_wallet_ends_nothing(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """The contract knows items by cart: one name in two carts is two items."""
    other = add_owner(conn, WALLETS[1])
    record(onchain, SMALLER)
    foreign = [event("added", 1, WALLETS[1], tx=chains.digest(7))]
    foreign += [event("removed", 1, WALLETS[1], tx=chains.digest(8))]
    record(onchain, *foreign)
    record(onchain, SMALLER)
    assert states(conn) == {1: None}
    assert (len(items(conn, user_id)), items(conn, other)) == (1, [])


def test_the_contract_holds_what_has_not_ended(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """In the cart, waiting and ordered items count; removed and sold ones do not."""
    factories.add_item(conn, user_id)

    def count() -> int:
        return chain.count_items_on_chain(conn, user_id=user_id)

    assert count() == 0
    record(onchain, SMALLER, LARGER, SPARE)
    assert count() == 3
    item = next(each for each in items(conn, user_id) if each.on_chain_object_id)
    onchain.checkout(user_id, [factories.line(item, "crossmint-1")])
    onchain.record_order_event(
        factories.event(factories.PAYMENT_SUCCEEDED, "crossmint-1")
    )
    assert count() == 3
    record(onchain, event("removed", 2))
    assert count() == 2
    number = int((item.on_chain_object_id or "")[:8], 16)
    record(onchain, event("sold", number, order_id="crossmint-1"))
    assert count() == 1
