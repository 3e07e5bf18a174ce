"""Rows from before the mirror: adopted, ended or mended by events."""

from uuid import UUID

import psycopg

from generated import chain
from store import Store
from store_testing import chains, factories
from store_testing.chains import item_id, page
from tests.integration.mirror.events import (
    ADDED_AT,
    LARGER,
    REMOVED_AT,
    SMALLER,
    SOLD_AT,
    event,
    items,
    record,
    states,
)


def test_what_is_off_chain_in_the_cart_is_adopted(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """The item keeps its id and becomes the smallest object that has no row yet."""
    item = factories.add_item(conn, user_id, product_id="B01")
    record(onchain, LARGER, SMALLER)
    [there] = items(conn, user_id)
    assert (there.id, there.tx_digest) == (item.id, chains.digest(1, 0))
    assert there.on_chain_object_id == item_id(1)
    record(onchain, event("added", 0))
    [there] = items(conn, user_id)
    assert there.on_chain_object_id == item_id(0)
    assert there.id != item.id


def test_a_row_without_its_added_ends(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A removed or OrderCreated takes out what the replaced indexer put in."""
    for number, size in ((1, "S"), (2, "M")):
        item = factories.add_item(conn, user_id, product_id="B01", size=size)
        conn.execute(
            "UPDATE cart_items SET on_chain_object_id = %s WHERE id = %s",
            [item_id(number), item.id],
        )
    assert chain.count_items_on_chain(conn, user_id=user_id) == 2
    record(onchain, event("removed", 1), event("sold", 2, size="M"))
    assert states(conn) == {1: REMOVED_AT, 2: SOLD_AT}
    [placed] = factories.orders_of(conn, user_id)
    assert placed.item.cart_item_id == item.id
    assert chain.count_items_on_chain(conn, user_id=user_id) == 0


def test_what_had_ended_before_does_not_come_back(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A row that had ended stays so, and takes the chain's time when it comes."""
    factories.add_item(conn, user_id, product_id="B01")
    conn.execute(
        "UPDATE cart_items SET on_chain_object_id = %s, deleted_at = %s, ended_at = %s",
        [item_id(1), SOLD_AT, SOLD_AT],
    )
    record(onchain, SMALLER)
    assert states(conn) == {1: SOLD_AT}
    record(onchain, event("removed", 1))
    assert states(conn) == {1: REMOVED_AT}
    assert items(conn, user_id) == []


def test_a_live_row_that_no_event_told_of_is_an_object_like_others(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """It waits behind a smaller one, and comes up after it."""
    old = factories.add_item(conn, user_id, product_id="B01")
    conn.execute("UPDATE cart_items SET on_chain_object_id = %s", [item_id(9)])
    record(onchain, SMALLER)
    assert states(conn) == {1: None, 9: old.created_at}
    record(onchain, event("removed", 1))
    assert [item.id for item in items(conn, user_id)] == [old.id]


def test_of_duplicates_from_before_the_smallest_comes_up(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Where an adoption left another one in the cart, that one leaves it."""
    for number, left_at in ((9, None), (2, SOLD_AT)):
        item = factories.add_item(conn, user_id, product_id="B01", size=str(number))
        conn.execute(
            "UPDATE cart_items SET size = NULL, on_chain_object_id = %s,"
            " deleted_at = %s, created_at = %s WHERE id = %s",
            [item_id(number), left_at, REMOVED_AT, item.id],
        )
    record(onchain, event("added", 5))
    assert states(conn) == {2: None, 5: ADDED_AT, 9: REMOVED_AT}


def test_what_was_changed_in_a_row_is_mended(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Details that the chain did not give give way to the chain's."""
    record(onchain, SMALLER)
    conn.execute("UPDATE cart_items SET product_name = 'X', price = 1")
    onchain.replay_chain_page(page([SMALLER]))
    [item] = items(conn, user_id)
    assert (item.product_name, item.price) == ("Notebook", 1490)


def test_an_item_off_chain_has_its_place(
    onchain: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """While it is in the cart again, objects of its variant wait for it to go."""
    item = factories.add_item(conn, user_id, product_id="B01")
    onchain.checkout(user_id, [factories.line(item, "x")])
    record(onchain, LARGER)
    [larger] = items(conn, user_id)
    [placed] = onchain.checkout(user_id, [factories.line(larger, "y")])
    onchain.record_order_event(factories.event(factories.PAYMENT_FAILED, "x"))
    onchain.cancel_order(user_id, placed.order.id)
    # An object that has its row already is not what the item becomes.
    onchain.replay_chain_page(page([LARGER]))
    assert [each.id for each in items(conn, user_id)] == [item.id]
    assert states(conn) == {2: ADDED_AT}
    onchain.record_order_event(factories.event(factories.PAYMENT_SUCCEEDED, "x"))
    assert [each.id for each in items(conn, user_id)] == [larger.id]
