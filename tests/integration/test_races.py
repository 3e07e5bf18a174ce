"""Two users of one cart at once.

T1 has done everything but its COMMIT, and waits at the gate; T2 starts and comes as far
as it can; then the gate opens. None of it ends in a deadlock.
"""

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest

from generated import users
from generated.internal import cart_steps, order_steps, user_steps
from generated.models import CartItem
from store import PlacedOrder, Product, Store, errors
from store_testing import factories
from tests.support import gates, races, stores
from tests.support.gates import Gate
from tests.support.races import race


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


# Checkouts


def test_two_checkouts_of_one_item(
    store: Store, conn: psycopg.Connection, user_id: UUID, item: CartItem, gate: Gate
) -> None:
    """T1: check out; T2: check out the same item. The second is refused."""
    one, other = race(
        gate,
        lambda: store.checkout(user_id, [factories.line(item, "x")]),
        lambda: store.checkout(user_id, [factories.line(item, "y")]),
    )
    [placed] = one.result()
    with pytest.raises(errors.ItemUnavailable):
        other.result()
    assert factories.orders_of(conn, user_id) == [placed]


def test_one_checkout_sent_twice(
    store: Store, user_id: UUID, item: CartItem, gate: Gate
) -> None:
    """T1: check out; T2: the same lines with their ids. Both get one result."""

    def checkout() -> list[PlacedOrder]:
        return store.checkout(user_id, [factories.line(item, "x")])

    one, other = race(gate, checkout, checkout)
    assert one.result() == other.result()


def test_two_checkouts_of_crossed_items(
    store: Store, conn: psycopg.Connection, user_id: UUID, item: CartItem
) -> None:
    """T1: items A, B; T2: items B, A. One gets both, the other neither."""
    other_item = factories.add_item(conn, user_id)
    lines = [factories.line(item), factories.line(other_item)]
    with ThreadPoolExecutor(2) as threads, conn.transaction():
        user_steps.lock_user(conn, id=user_id)
        both = [
            threads.submit(store.checkout, user_id, order)
            for order in (lines, lines[::-1])
        ]
        gates.wait_until_waiting(conn, 2)
    outcomes = [future.exception() or future.result() for future in both]
    assert sorted(map(type, outcomes), key=str) == [list, errors.ItemUnavailable]


def test_crossed_crossmint_orders_are_locked_in_order(
    store: Store, conn: psycopg.Connection, user_id: UUID, item: CartItem
) -> None:
    """T1: orders a, b; T2: orders b, a. Neither holds b while it waits for a."""
    other_item = factories.add_item(conn, user_id)
    forth = [factories.line(item, "a"), factories.line(other_item, "b")]
    back = [factories.line(other_item, "b"), factories.line(item, "a")]
    with ThreadPoolExecutor(2) as threads, conn.transaction():
        order_steps.lock_crossmint_orders(conn, crossmint_order_ids=["a"])
        both = [threads.submit(store.checkout, user_id, each) for each in (forth, back)]
        gates.wait_until_waiting(conn, 2)
        [(held,)] = conn.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database AS d ON d.oid = database"
            " WHERE locktype = 'advisory' AND granted AND datname = current_database()"
            " AND pid <> pg_backend_pid()"
            " AND objsubid IN (1, 2)"  # others are Citus' own
        )
    assert held == 0
    one, other = (future.result() for future in both)
    assert {each.order.id for each in one} == {each.order.id for each in other}


# The cart


def test_a_removal_before_a_checkout(
    store: Store, conn: psycopg.Connection, user_id: UUID, item: CartItem, gate: Gate
) -> None:
    """T1: remove; T2: check out. The checkout is refused and writes nothing."""
    one, other = race(
        gate,
        lambda: _remove(store, item),
        lambda: store.checkout(user_id, [factories.line(item)]),
    )
    assert one.result() is not None
    with pytest.raises(errors.ItemUnavailable):
        other.result()
    assert factories.orders_of(conn, user_id) == []


def test_a_checkout_before_a_removal(
    store: Store, user_id: UUID, item: CartItem, gate: Gate
) -> None:
    """T1: check out; T2: remove. The item is bought, and no longer there to remove."""
    one, other = race(
        gate,
        lambda: store.checkout(user_id, [factories.line(item)]),
        lambda: _remove(store, item),
    )
    assert [each.item.cart_item_id for each in one.result()] == [item.id]
    assert other.result() is None


def test_two_adds_of_one_variant(
    store: Store, conn: psycopg.Connection, user_id: UUID, gate: Gate
) -> None:
    """T1: add; T2: add the same variant. It is one row, with the second's details."""
    one, other = race(
        gate,
        lambda: _add(store, user_id, price=1),
        lambda: _add(store, user_id, price=2),
    )
    assert one.result().id == other.result().id
    assert [row.price for row in factories.cart_of(conn, user_id)] == [2]


def test_two_sign_ups_of_one_identity(
    store: Store, conn: psycopg.Connection, gate: Gate
) -> None:
    """T1: create a user; T2: of the same identity. Both get the one row."""

    def sign_up() -> UUID:
        return store.create_user("google|1", email=None).id

    one, other = race(gate, sign_up, sign_up)
    assert one.result() == other.result()
    found = users.get_user_by_crossmint_user_id(conn, crossmint_user_id="google|1")
    assert found
    assert found.id == one.result()


def _add(store: Store, user_id: UUID, *, price: int) -> CartItem:
    product = Product(product_id="B01", product_name="Notebook", price=price)
    return store.add_cart_item(user_id, product, replace=True).item


def _remove(store: Store, item: CartItem) -> CartItem | None:
    with store.connection() as conn:
        return cart_steps.remove_cart_item(
            conn, id=item.id, on_chain_object_id=None, user_id=item.user_id
        )
