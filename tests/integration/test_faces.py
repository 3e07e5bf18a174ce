"""The store that waits and the one that is awaited are the same."""

import asyncio
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable
from types import ModuleType

import psycopg
import pytest
from psycopg import pq

import generated
import generated.aio
from generated.aio import carts as aio_carts
from generated.enums import OrderStatus
from store import AsyncReplica, AsyncStore, Replica, Store
from store.adapters import JsonLoader
from store_testing import crossmint, factories
from store_testing.factories import PAYMENT_SUCCEEDED
from tests.support import stores

MODULES = [module.name for module in pkgutil.iter_modules(generated.aio.__path__)]


def shape(function: Callable[..., object]) -> str:
    """Give a function's signature without what says that it is awaited."""
    text = str(inspect.signature(function))
    # Brackets go as well, so that Awaitable[T] reads as T.
    return re.sub(
        r"(\b|(?<=Abstract))Async(?=[A-Z])|(collections\.abc\.)?Awaitable|[][]",
        "",
        text,
    )


def without_await(text: str) -> str:
    """Give a docstring as it is where its examples block."""
    return re.sub(r"\bAsync(?=[A-Z])|\basync (?=def|with)|\bawait ", "", text)


def faces_of(public: type) -> dict[str, tuple[str, str]]:
    """Give the public methods with their shapes and documentation."""
    renamed = {"__aenter__": "__enter__", "__aexit__": "__exit__"}
    found = {
        renamed.get(name, name): member
        for name, member in inspect.getmembers(public, inspect.isfunction)
        if not name.startswith("_")
        or name in {"__init__", "__enter__", "__exit__", *renamed}
    }
    return {
        name: (shape(member), without_await(member.__doc__ or ""))
        for name, member in found.items()
    }


def test_both_stores_have_the_same_face() -> None:
    """Names, parameters, types and documentation are the same, modulo Awaitable."""
    assert faces_of(AsyncStore) == faces_of(Store)
    assert {"checkout", "cancel_order", "transaction"} <= faces_of(Store).keys()
    assert faces_of(AsyncReplica) == faces_of(Replica)
    assert {"at_least"} == faces_of(Replica).keys() - faces_of(Store).keys()


def test_both_read_json_by_the_fast_parser(database_url: str) -> None:
    """Connections of either store have the loader of `store.adapters`."""
    oid = psycopg.adapters.types["jsonb"].oid
    settings = stores.settings(database_url)
    with Store(settings) as store, store.connection() as conn:
        assert conn.adapters.get_loader(oid, pq.Format.TEXT) is JsonLoader

    async def awaited_loader() -> object:
        async with AsyncStore(settings) as store, store.connection() as awaited:
            return awaited.adapters.get_loader(oid, pq.Format.TEXT)

    assert asyncio.run(awaited_loader()) is JsonLoader


def test_what_reaches_the_database_is_awaited() -> None:
    """Each method of AsyncStore is awaited, or entered with `async with`.

    Three only give the same store with something changed.
    """
    for name in faces_of(Store).keys() - {"limited", "tracked", "within"}:
        if not name.startswith("__"):
            method = inspect.unwrap(getattr(AsyncStore, name))
            assert inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(
                method
            ), name


@pytest.mark.parametrize("name", MODULES)
def test_generated_functions_have_the_same_face(name: str) -> None:
    """`generated.aio` has each module's functions, with the same parameters."""

    def functions(package: ModuleType) -> dict[str, str]:
        module = importlib.import_module(f"{package.__name__}.{name}")
        members = inspect.getmembers(module, inspect.isfunction)
        public = {key for key in module.__all__ if not key.endswith("_row")}
        return {key: shape(one) for key, one in members if key in public}

    assert functions(generated.aio) == functions(generated)
    assert functions(generated)


def test_an_awaited_store_sells(database_url: str, conn: psycopg.Connection) -> None:
    """Checkout, payment and cancellation through AsyncStore end as through Store."""
    user_id = factories.add_user(conn)
    items = [factories.add_item(conn, user_id) for _ in range(2)]
    lines = [factories.line(item, f"x-{n}") for n, item in enumerate(items)]
    event = {"type": PAYMENT_SUCCEEDED, "payload": {"orderId": "x-0"}}

    async def sell() -> None:
        async with AsyncStore(stores.settings(database_url)) as store:
            paid, unwanted = await store.checkout(user_id, lines)
            again = await store.checkout(user_id, lines)
            assert again == [paid, unwanted]
            await store.receive_order_event(*crossmint.delivery("1", event))
            await store.cancel_order(user_id, unwanted.order.id)
            async with store.transaction() as inside:
                cart = await aio_carts.list_cart_items(
                    inside, user_id=user_id, max_rows=9
                )
            assert [item.id for item in cart] == [items[1].id]

    asyncio.run(sell())
    stored = [each.order for each in factories.orders_of(conn, user_id)]
    assert {order.crossmint_order_id: order.status for order in stored} == {
        "x-0": OrderStatus.PAYMENT_CONFIRMED,
        "x-1": OrderStatus.CANCELLED,
    }
