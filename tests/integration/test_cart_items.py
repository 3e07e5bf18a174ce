"""Carts that users write: how many items, which names, which prices, on both faces."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql
from psycopg.rows import dict_row

from generated import carts
from generated.models import CartItem
from store import (
    AsyncStore,
    CheckoutLine,
    Product,
    Settings,
    Store,
    checkouts,
    constraints,
    errors,
)
from store_testing import factories
from tests.support import gates, stores
from tests.support.races import race

NOTEBOOK = Product(product_id="B01", product_name="Notebook", price=1490)
ON_CHAIN = "0b6e4a52-7f6b-4c3e-9d53-2f3a8f1f0c11"


def products(number: int) -> list[Product]:
    """Make products that differ."""
    return [
        Product(product_id=f"P{n}", product_name="Pen", price=n) for n in range(number)
    ]


def cart(conn: psycopg.Connection, user_id: UUID) -> list[CartItem]:
    """Give what is in a cart."""
    return carts.list_cart_items(conn, user_id=user_id, max_rows=99)


# Adding


def test_a_repeat_says_that_the_item_was_there(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A variant added again is the item that was there, unchanged unless asked for."""
    first = store.add_cart_item(user_id, NOTEBOOK)
    again = Product(product_id="B01", product_name="Renamed", price=2, image="i")
    second = store.add_cart_item(user_id, again)
    assert (first.is_new, second.is_new) == (True, False)
    assert second.item == first.item
    third = store.add_cart_item(user_id, again, replace=True)
    assert not third.is_new
    assert third.item.id == first.item.id
    assert (third.item.product_name, third.item.price, third.item.image) == (
        "Renamed",
        2,
        "i",
    )
    assert cart(conn, user_id) == [third.item]


def test_blanks_beyond_a_column_make_no_other_variant(
    store: Store, user_id: UUID
) -> None:
    """The server cuts them off: what is added again, or replaced, is found."""
    wide = replace(NOTEBOOK, size="x" * 50 + "  ")
    first = store.add_cart_item(user_id, wide)
    assert first.item.size == "x" * 50
    assert not store.add_cart_item(user_id, wide).is_new
    renamed = replace(wide, product_name="Renamed")
    changed = store.add_cart_item(user_id, renamed, replace=True)
    assert (changed.is_new, changed.item.id) == (False, first.item.id)
    assert changed.item.product_name == "Renamed"


@pytest.mark.parametrize("field", ["size", "color"])
def test_an_empty_text_is_an_absent_one(
    store: Store, conn: psycopg.Connection, user_id: UUID, field: str
) -> None:
    """A size or colour of no characters is none, so it makes no other variant."""
    details: dict[str, Any] = {"product_id": "B01", "product_name": "N", "price": 1}
    empty: dict[str, Any] = {**details, field: ""}
    named: dict[str, Any] = {**details, field: "Default"}
    first = store.add_cart_item(user_id, Product(**details))
    second = store.add_cart_item(user_id, Product(**empty))
    assert second.item == first.item
    default = store.add_cart_item(user_id, Product(**named))
    assert default.is_new
    emptying = sql.SQL("UPDATE cart_items SET {} = ''").format(sql.Identifier(field))
    with pytest.raises(psycopg.errors.CheckViolation) as refused:
        conn.execute(emptying)
    rule = constraints.translate(refused.value).constraint
    assert rule == "cart_items_variant_has_no_empty_text"


def test_a_cart_holds_so_many_items(
    database_url: str, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Ten, or what CART_MAX_ITEMS says; a repeat in a full cart is still a repeat."""
    assert Settings.load(database_url=database_url).cart_max_items == 10
    first, second, third = products(3)
    with stores.opened(database_url, cart_max_items=2) as store:
        store.add_cart_item(user_id, first)
        kept = store.add_cart_item(user_id, second)
        with pytest.raises(errors.CartFull) as refused:
            store.add_cart_item(user_id, third)
        assert refused.value.limit == 2
        assert store.add_cart_item(user_id, second).item == kept.item
        assert len(cart(conn, user_id)) == 2
        store.remove_cart_item(user_id, kept.item.id)
        assert store.add_cart_item(user_id, third).is_new


def test_what_comes_back_is_not_counted(
    database_url: str, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A cancelled order's item returns to a full cart, whose items are still known."""
    first, second, third = products(3)
    with stores.opened(database_url, cart_max_items=1) as store:
        item = store.add_cart_item(user_id, first).item
        [placed] = store.checkout(user_id, [factories.line(item)])
        store.add_cart_item(user_id, second)
        store.cancel_order(user_id, placed.order.id)
        assert len(cart(conn, user_id)) == 2
        assert store.add_cart_item(user_id, first).item.id == item.id
        with pytest.raises(errors.CartFull):
            store.add_cart_item(user_id, third)


def test_two_additions_do_not_both_take_the_last_place(
    database_url: str, conn: psycopg.Connection, user_id: UUID
) -> None:
    """T1: add the last item that there is room for; T2: add another. One is refused."""
    first, second = products(2)
    with (
        stores.opened(database_url, cart_max_items=1) as store,
        gates.shut(database_url) as gate,
    ):
        one, other = race(
            gate,
            lambda: store.add_cart_item(user_id, first),
            lambda: store.add_cart_item(user_id, second),
        )
    assert one.result().is_new
    assert isinstance(other.exception(), errors.CartFull)
    assert [item.product_id for item in cart(conn, user_id)] == ["P0"]


def test_nobody_has_no_cart(store: Store) -> None:
    """Adding for a user that does not exist says so."""
    with pytest.raises(errors.UserNotFound):
        store.add_cart_item(uuid4(), NOTEBOOK)


# Prices


@given(
    price=st.floats()
    | st.booleans()
    | st.decimals()
    | st.text()
    | st.integers(max_value=-1)
    | st.integers(min_value=2**31)
)
def test_cents_are_an_int_and_nothing_else(price: object) -> None:
    """What is no int of the column's range is refused, and not cut to one."""
    given_price = cast("int", price)
    line = CheckoutLine(cart_item_id=uuid4(), expected_price=given_price)
    for use in (
        lambda: Product(product_id="B01", product_name="N", price=given_price),
        lambda: checkouts.refuse_malformed([line]),
    ):
        with pytest.raises(errors.InvalidValue, match="USD cents, an int of 0 to"):
            use()


# Names


@pytest.mark.parametrize("on_chain", [ON_CHAIN, f"0x{7:064x}"])
def test_an_item_has_two_names(
    store: Store, conn: psycopg.Connection, user_id: UUID, on_chain: str
) -> None:
    """Reading, removing and checking out take the row's id or the one on chain."""
    item = factories.add_item(conn, user_id)
    conn.execute("UPDATE cart_items SET on_chain_object_id = %s", [on_chain])
    names: list[UUID | str] = [item.id, str(item.id), on_chain, on_chain.upper()]
    if not on_chain.startswith("0x"):
        names.append(UUID(on_chain))
    for name in names:
        found = store.get_cart_item(user_id, name)
        assert found is not None
        assert (found.id, found.on_chain_object_id) == (item.id, on_chain)
        assert store.get_cart_item(uuid4(), name) is None
        line = CheckoutLine(cart_item_id=name)
        [placed] = store.checkout(user_id, [line])
        assert placed.item.cart_item_id == item.id
        with pytest.raises(errors.ItemUnavailable) as refused:
            store.checkout(user_id, [line])
        assert refused.value.cart_item_ids == {name}
        store.cancel_order(user_id, placed.order.id)
        removed = store.remove_cart_item(user_id, name)
        assert removed.id == item.id
        assert store.remove_cart_item(user_id, name) == removed
        conn.execute("UPDATE cart_items SET deleted_at = NULL")


def test_two_names_of_one_item_are_no_two_items(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A checkout that names an item twice, each time otherwise, sells nothing."""
    item = factories.add_item(conn, user_id)
    conn.execute("UPDATE cart_items SET on_chain_object_id = %s", [ON_CHAIN])
    lines = [
        CheckoutLine(cart_item_id=item.id),
        CheckoutLine(cart_item_id=ON_CHAIN),
    ]
    with pytest.raises(errors.RepeatedItem) as refused:
        store.checkout(user_id, lines)
    assert refused.value.field == "cart_item_id"
    assert factories.orders_of(conn, user_id) == []


@pytest.mark.parametrize("name", ["", "x", "0x", "0x" + "1" * 65, "1" * 36])
def test_what_is_no_name_is_refused(store: Store, user_id: UUID, name: str) -> None:
    """A text that can name no item is an error that does not show it."""
    for call in (
        lambda: store.get_cart_item(user_id, name),
        lambda: store.remove_cart_item(user_id, name),
        lambda: store.checkout(user_id, [CheckoutLine(cart_item_id=name)]),
    ):
        with pytest.raises(errors.InvalidValue):
            call()


# Leaving


def test_an_item_is_removed_once(store: Store, user_id: UUID) -> None:
    """Removed again, an item is as it was when it was removed."""
    item = store.add_cart_item(user_id, NOTEBOOK).item
    removed = store.remove_cart_item(user_id, item.id)
    assert removed == replace(item, deleted_at=removed.deleted_at)
    assert removed.deleted_at is not None
    assert store.remove_cart_item(user_id, item.id) == removed


@pytest.mark.parametrize("whose", ["a stranger's", "nobody's"])
def test_an_item_of_another_is_not_found(
    store: Store, conn: psycopg.Connection, user_id: UUID, whose: str
) -> None:
    """Only the owner takes an item out: what is not the user's is not there."""
    item = store.add_cart_item(user_id, NOTEBOOK).item
    name = item.id if whose == "a stranger's" else uuid4()
    with pytest.raises(errors.CartItemNotFound) as refused:
        store.remove_cart_item(factories.add_user(conn), name)
    assert refused.value.item == name
    assert cart(conn, user_id) == [item]


def test_an_ordered_item_is_not_removed(store: Store, user_id: UUID) -> None:
    """An item that an order has is told apart from one that was removed."""
    item = store.add_cart_item(user_id, NOTEBOOK).item
    [placed] = store.checkout(user_id, [CheckoutLine(cart_item_id=item.id)])
    with pytest.raises(errors.CartItemOrdered) as refused:
        store.remove_cart_item(user_id, item.id)
    error = refused.value
    assert (error.cart_item_id, error.order_id) == (item.id, placed.order.id)
    assert error.status == "awaiting_approval"
    store.add_cart_item(user_id, NOTEBOOK)  # so that the other one stays out
    store.cancel_order(user_id, placed.order.id)
    assert store.remove_cart_item(user_id, item.id).id == item.id


def test_clearing_empties_one_cart(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Clearing tells how many items left, and leaves other carts alone."""
    other = factories.add_user(conn)
    theirs = store.add_cart_item(other, NOTEBOOK).item
    for size in ("S", "M"):
        factories.add_item(conn, user_id, size=size)
    assert (store.clear_cart(user_id), store.clear_cart(user_id)) == (2, 0)
    assert (cart(conn, user_id), cart(conn, other)) == ([], [theirs])


def test_clearing_a_cart_that_is_checked_out(
    store: Store, conn: psycopg.Connection, database_url: str, user_id: UUID
) -> None:
    """T1: check two items out; T2: clear the cart. Only the third item is cleared."""
    three = [factories.add_item(conn, user_id) for _ in range(3)]
    with gates.shut(database_url) as gate:
        one, other = race(
            gate,
            lambda: store.checkout(
                user_id, [factories.line(item) for item in three[1:]]
            ),
            lambda: store.clear_cart(user_id),
        )
    assert (len(one.result()), other.result()) == (2, 1)


def test_clearing_waits_for_what_is_added(
    store: Store, conn: psycopg.Connection, database_url: str, user_id: UUID
) -> None:
    """T1: add an item; T2: clear the cart, which waits, and then takes out both."""
    factories.add_item(conn, user_id)
    with gates.shut(database_url) as gate:
        _, cleared = race(
            gate,
            lambda: store.add_cart_item(user_id, NOTEBOOK),
            lambda: store.clear_cart(user_id),
        )
    assert cleared.result() == 2
    assert cart(conn, user_id) == []


def test_users_stay_out_of_onchain_carts(
    database_url: str, conn: psycopg.Connection, user_id: UUID
) -> None:
    """In onchain mode all of a user's writes are refused, and change nothing."""
    item = factories.add_item(conn, user_id)
    with stores.opened(database_url, cart_service="onchain") as onchain:
        calls: list[Callable[[], Any]] = [
            lambda: onchain.add_cart_item(user_id, NOTEBOOK),
            lambda: onchain.remove_cart_item(user_id, item.id),
            lambda: onchain.clear_cart(user_id),
        ]
        for call in calls:
            with pytest.raises(errors.WrongCartService) as refused:
                call()
            assert refused.value.required == "db"
    assert cart(conn, user_id) == [item]


def test_both_faces_write_carts(database_url: str, user_id: UUID) -> None:
    """The awaited face does what the blocking one does."""

    async def shop() -> None:
        async with AsyncStore(stores.settings(database_url)) as store:
            added = await store.add_cart_item(user_id, NOTEBOOK)
            assert await store.get_cart_item(user_id, added.item.id) == added.item
            assert await store.remove_cart_item(user_id, added.item.id)
            with pytest.raises(errors.UserNotFound):
                await store.add_cart_item(uuid4(), NOTEBOOK)

    asyncio.run(shop())


# The snapshot

# Of a cart item alone: not of the product that is in it.
OF_THE_CART = {"id", "user_id", "tx_digest", "deleted_at", "ended_at", "created_at"}


def test_no_column_of_a_product_is_forgotten(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Each column of a product is in the snapshot, of its type, and arrives there.

    The catalog says which there are: a new one that the checkout leaves out is found.
    """
    columns: dict[str, dict[str, tuple[str, str | None]]] = {
        table: {
            name: (kind, base)
            for name, kind, base in conn.execute(
                "SELECT attname, format_type(atttypid, atttypmod),"
                " format_type(nullif(typbasetype, 0), NULL)"
                " FROM pg_attribute INNER JOIN pg_type ON atttypid = pg_type.oid"
                " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
                [table],
            )
        }
        for table in ("cart_items", "order_items")
    }
    product = {
        name: kind
        for name, kind in columns["cart_items"].items()
        if name not in OF_THE_CART
    }
    assert product.items() <= columns["order_items"].items()
    values = {
        name: ON_CHAIN if name == "on_chain_object_id" else _a_value(name, base or kind)
        for name, (kind, base) in product.items()
    }
    item = factories.add_item(conn, user_id)
    setting = sql.SQL("UPDATE cart_items SET ({}) = ROW({})").format(
        sql.SQL(", ").join(map(sql.Identifier, values)),
        sql.SQL(", ").join(map(sql.Placeholder, values)),
    )
    conn.execute(setting, values)
    store.checkout(user_id, [factories.line(item)])
    [snapshot] = conn.cursor(row_factory=dict_row).execute("SELECT * FROM order_items")
    assert {name: snapshot[name] for name in values} == values


def _a_value(name: str, kind: str) -> object:
    values = {"integer": 77, "boolean": True, "numeric": Decimal("7.5")}
    if "char" in kind or kind == "text":
        return f"the {name}"[:50]
    return values[kind]
