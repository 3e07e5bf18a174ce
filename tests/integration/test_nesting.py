"""Methods inside of a caller's block: part of its transaction, or refused at once."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import psycopg
import pytest

from generated import users
from generated.aio import users as aio_users
from generated.internal import order_steps
from generated.models import CartItem
from store import AsyncStore, Product, Store, errors
from store_testing import factories
from tests.support import gates, stores


def name_of(conn: psycopg.Connection, user_id: UUID) -> str | None:
    """Read what is stored."""
    user = users.get_user(conn, id=user_id)
    assert user
    return user.display_name


METHODS: dict[str, Callable[[Store, UUID], object]] = {
    "cancel_order": lambda store, user_id: store.cancel_order(user_id, user_id),
    "checkout": lambda store, user_id: store.checkout(user_id, []),
    "add_cart_item": lambda store, user_id: store.add_cart_item(
        user_id, Product(product_id="B01", product_name="Pen", price=1)
    ),
    "atomically": lambda store, _: store.atomically(lambda _: None),
    "ping": lambda store, _: store.ping(),
}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("block", ["connection", "transaction"])
def test_a_method_inside_of_a_block_is_refused(
    store: Store, user_id: UUID, name: str, block: str
) -> None:
    """It would wait for itself, so it says at once what to do instead."""
    with getattr(store, block)():
        with pytest.raises(errors.NestedCall, match=rf"{name} .*within\(conn\)"):
            METHODS[name](store, user_id)
        with ThreadPoolExecutor(1) as thread:  # others are not concerned
            thread.submit(store.clear_cart, user_id).result()
    store.clear_cart(user_id)  # nor is it afterwards


def test_an_awaited_method_inside_of_a_block_is_refused(
    database_url: str, user_id: UUID
) -> None:
    """So it is for tasks; one that was started in the block is another task."""

    async def work() -> None:
        async with AsyncStore(stores.settings(database_url)) as store:
            async with store.transaction() as conn:
                with pytest.raises(errors.NestedCall):
                    await store.clear_cart(user_id)
                await asyncio.create_task(store.clear_cart(user_id))
                await aio_users.set_display_name(conn, id=user_id, display_name="Ada")
            await store.clear_cart(user_id)

    asyncio.run(work())


def test_another_store_is_not_concerned(
    store: Store, database_url: str, user_id: UUID
) -> None:
    """A block of one store says nothing of another's methods."""
    with store.connection(), stores.opened(database_url) as other:
        assert other.clear_cart(user_id) == 0


@pytest.mark.parametrize("fails", [False, True])
def test_a_checkout_within_a_transaction_is_part_of_it(
    store: Store,
    conn: psycopg.Connection,
    user_id: UUID,
    item: CartItem,
    *,
    fails: bool,
) -> None:
    """The checkout and a row of the caller's own commit together, or neither does."""

    def work(inside: psycopg.Connection[Any]) -> None:
        users.set_display_name(inside, id=user_id, display_name="before")
        [placed] = store.within(inside).checkout(user_id, [factories.line(item, "x")])
        assert placed.item.cart_item_id == item.id
        assert factories.orders_of(conn, user_id) == []
        users.set_display_name(inside, id=user_id, display_name="after")
        if fails:
            raise KeyError

    if fails:
        with pytest.raises(KeyError):
            store.atomically(work)
        assert name_of(conn, user_id) is None
        assert factories.orders_of(conn, user_id) == []
    else:
        store.atomically(work)
        assert name_of(conn, user_id) == "after"
        assert len(factories.orders_of(conn, user_id)) == 1


def test_a_refusal_leaves_the_transaction_usable(
    store: Store, conn: psycopg.Connection, user_id: UUID, item: CartItem
) -> None:
    """What a refused method wrote is undone, and the rest is committed."""
    taken = factories.add_item(conn, user_id)
    store.checkout(user_id, [factories.line(taken, "taken")])
    for _ in range(8):  # the driver prepares statements meanwhile
        with store.transaction() as inside:
            bound = store.within(inside)
            users.set_display_name(inside, id=user_id, display_name="Ada")
            with pytest.raises(errors.ItemUnavailable):
                bound.checkout(user_id, [factories.line(taken, "y")])
            with pytest.raises(errors.AlreadyExists):
                bound.checkout(user_id, [factories.line(item, "taken")])
            with pytest.raises(errors.OrderNotFound):
                bound.cancel_order(user_id, user_id)
    assert name_of(conn, user_id) == "Ada"
    assert len(factories.orders_of(conn, user_id)) == 1


def test_a_conflict_within_a_transaction_is_told_as_without(
    store: Store, conn: psycopg.Connection, user_id: UUID
) -> None:
    """A method that looks again after a refusal can do so in that transaction, too."""
    items = [factories.add_item(conn, user_id) for _ in range(2)]
    store.checkout(user_id, [factories.line(items[0], "x")])
    store.checkout(user_id, [factories.line(items[1], "y")])
    digest = "7" * 44

    def attach_second() -> None:
        with store.transaction() as inside:
            bound = store.within(inside)
            with pytest.raises(errors.AlreadyExists):
                bound.attach_transaction("y", digest)
            again = bound.checkout(user_id, [factories.line(items[0], "x")])
            assert [each.order.tx_hash for each in again] == [digest]
            users.set_display_name(inside, id=user_id, display_name="Ada")

    with ThreadPoolExecutor(1) as thread:
        with conn.transaction():
            order_steps.attach_transaction_by_crossmint_order(
                conn, crossmint_order_id="x", tx_hash=digest
            )
            second = thread.submit(attach_second)
            gates.wait_until_waiting(conn, 1)
        second.result()
    assert name_of(conn, user_id) == "Ada"


def test_an_awaited_checkout_within_a_transaction(
    database_url: str, conn: psycopg.Connection, user_id: UUID, item: CartItem
) -> None:
    """The face that awaits does the same."""

    async def work() -> None:
        settings = stores.settings(database_url)
        async with AsyncStore(settings) as store, store.transaction() as inside:
            bound = store.within(inside)
            with pytest.raises(errors.OrderNotFound):
                await bound.cancel_order(user_id, user_id)
            await bound.checkout(user_id, [factories.line(item, "x")])
            assert factories.orders_of(conn, user_id) == []

    asyncio.run(work())
    assert len(factories.orders_of(conn, user_id)) == 1


def test_within_takes_only_a_transaction_of_its_own(
    store: Store, database_url: str, conn: psycopg.Connection, user_id: UUID
) -> None:
    """Any other connection is refused, and so is one whose transaction has ended."""
    with stores.opened(database_url) as other, other.transaction() as foreign:
        for wrong in (conn, foreign):
            with pytest.raises(errors.InvalidValue, match="transaction"):
                store.within(wrong)
    with (
        store.connection() as single,
        pytest.raises(errors.InvalidValue, match="transaction"),
    ):
        store.within(single)
    with store.transaction() as inside:
        bound = store.within(inside)
    with pytest.raises(errors.InvalidValue, match="ended"):
        bound.clear_cart(user_id)


def test_within_is_not_tried_again(store: Store) -> None:
    """A conflict may be the caller's part's, so it is the caller's to repeat."""
    attempts: list[None] = []

    def work(inside: psycopg.Connection[Any]) -> None:
        attempts.append(None)
        inside.execute("DO $$ BEGIN RAISE SQLSTATE '40001'; END $$")

    with store.transaction() as inside:
        with pytest.raises(errors.TransactionConflict):
            store.within(inside).atomically(work)
        assert inside.execute("SELECT 1").fetchone() == (1,)
    assert len(attempts) == 1
